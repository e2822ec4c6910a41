// A cluster on one machine: its servers, its schemas, and a process for each copy of a node, started in this order and
// ended in the other.
import fs from "node:fs";
import path from "node:path";
import { openDatabases } from "../databases.ts";
import { type Embedded, startEmbedded } from "../embedded-postgres.ts";
import type { Env } from "../env.ts";
import { migrateAll, nodesWithMigrations } from "../migrations.ts";
import { Board, type Row } from "./board.ts";
import { Keeper, type Program } from "./keeper.ts";
import type { Planned } from "./plan.ts";
import { type ClusterRecord, clearAway, removeRecord, writeRecord } from "./record.ts";
import { findPrograms, type LocalServer, natsProgram, redisProgram } from "./servers.ts";

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const DOORS = ["api", "socket"];
const PROBE_MS = 3_000;
/** Nine connections for each process that has a database, some for tools, and as many again while one is replaced. */
const DATABASE_SETTINGS = { max_connections: 250 };

export interface HouseOptions {
	/** As for a single process: without NATS_URL, which is given apart. */
	env: Env;
	natsUrl: string | undefined;
	plan: readonly Planned[];
	/** What every process gets besides what is its own. */
	environment: Readonly<Record<string, string>>;
	screen: NodeJS.WriteStream;
}

export class House {
	readonly #options: HouseOptions;
	readonly #startedAt = new Date().toISOString();
	readonly #servers: { nats?: Keeper; redis?: Keeper } = {};
	readonly #urls = { nats: "", redis: "", database: "" };
	#rows: Row[] = [];
	#embedded: Embedded | undefined;
	#board: Board | undefined;
	/** Of servers and schemas: what is about to be there must be stopped too. */
	#opening: Promise<void> | undefined;
	#stopping: Promise<void> | undefined;

	constructor(options: HouseOptions) {
		this.#options = options;
	}

	get #dataDir(): string {
		return this.#options.env.DATA_DIR;
	}

	/** Resolved when every process is ready. Rejects with a sentence where something does not come up. */
	async start(): Promise<void> {
		const { env, natsUrl, plan, screen } = this.#options;
		const wanted = [...(natsUrl ? [] : ["nats-server"]), ...(env.REDIS_URL ? [] : ["redis-server"])];
		const programs = findPrograms(wanted);
		fs.mkdirSync(path.join(this.#dataDir, "logs"), { recursive: true });
		await clearAway(this.#dataDir);
		const changed = (keeper: Keeper, how?: string): void => {
			this.#board?.changed(keeper, how);
			this.#record();
		};
		console.log(`What each process says is in ${path.join(this.#dataDir, "logs")}.`);
		const opening = this.#open(programs, changed);
		this.#opening = opening.catch(() => {});
		await opening;
		if (this.#stopping) return;
		this.#rows = plan.map((planned) => {
			const url = `http://localhost:${planned.port}`;
			return { planned, url, keeper: new Keeper(this.#program(planned, url), changed) };
		});
		this.#board = new Board(this.#rows, screen);
		await Promise.all(this.#rows.map(({ keeper }) => keeper.start()));
		if (!this.#stopping) this.#board.say(`Reloop is ready at ${env.PUBLIC_URL}`);
	}

	/** Servers and schemas, side by side. */
	async #open(programs: Record<string, string>, changed: (keeper: Keeper, how?: string) => void): Promise<void> {
		const { env, natsUrl } = this.#options;
		const run = async (name: "nats" | "redis", given: string | undefined, make: () => Promise<LocalServer>): Promise<void> => {
			if (given) {
				this.#urls[name] = given;
				return;
			}
			const { url, program } = await make();
			if (this.#stopping) return;
			const keeper = new Keeper(program, changed);
			this.#servers[name] = keeper;
			this.#urls[name] = url;
			await keeper.start();
		};
		const program = (name: string): string => programs[name] ?? name;
		await Promise.all([
			run("nats", natsUrl, () => natsProgram(program("nats-server"), this.#dataDir, this.#log("nats"))),
			run("redis", env.REDIS_URL, () => redisProgram(program("redis-server"), this.#dataDir, this.#log("redis"))),
			this.#openDatabase(),
		]);
	}

	/** Doors first: what they have taken is still answered by the others. Safe to call twice. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	/** At once: nothing is drained. */
	kill(): void {
		for (const { keeper } of this.#rows) keeper.kill();
		for (const server of Object.values(this.#servers)) server.kill();
	}

	async #stop(): Promise<void> {
		this.#board?.say("Draining …");
		const all = (rows: Row[]) => Promise.all(rows.map(({ keeper }) => keeper.stop()));
		await all(this.#rows.filter(({ planned }) => DOORS.includes(planned.node)));
		await all(this.#rows);
		await Promise.all(Object.values(this.#servers).map((server) => server.stop()));
		await this.#opening;
		await this.#embedded?.stop();
		this.#board?.end();
		removeRecord(this.#dataDir);
	}

	/** The database that was named, or the embedded one for all whose own was not; with the schemas as the code expects them. */
	async #openDatabase(): Promise<void> {
		const { env } = this.#options;
		const say = (sentence: string): void => console.log(sentence);
		const homeless = nodesWithMigrations().some((node) => env.NODES.includes(node) && !env.databases[node]?.url);
		if (!env.DATABASE_URL && homeless) this.#embedded = await startEmbedded(env.DATA_DIR, { say, settings: DATABASE_SETTINGS });
		this.#urls.database = env.DATABASE_URL ?? this.#embedded?.ownerUrl ?? "";
		const { migrations } = await openDatabases({ ...env, DATABASE_URL: this.#urls.database || undefined }, say);
		await migrateAll(migrations, "up");
	}

	#program(planned: Planned, url: string): Program {
		const { name, node, port } = planned;
		const { env, environment, plan } = this.#options;
		// METRICS_PORT is the first one's; 0 is a free port for each.
		const metrics = env.METRICS_PORT ? env.METRICS_PORT + plan.indexOf(planned) : undefined;
		const { nats, redis, database } = this.#urls;
		return {
			name,
			command: process.execPath,
			args: ["--disable-proto=delete", "--import", "./config/preflight.js", "config/start.ts"],
			environment: {
				...environment,
				NATS_URL: nats,
				REDIS_URL: redis,
				...(database ? { DATABASE_URL: database } : {}),
				...(metrics ? { METRICS_PORT: String(metrics) } : {}),
				NODES: node,
				// A lone realtime door listens on SOCKET_PORT.
				...(node === "socket" ? { SOCKET_PORT: String(port) } : { PORT: String(port) }),
			},
			folder: ROOT,
			log: this.#log(name),
			ours: true,
			probe: async () => {
				const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(PROBE_MS) });
				const { status } = (await answer.json()) as { status?: string };
				return status === "ok" ? "ready" : status === "degraded" ? "degraded" : "not ready";
			},
		};
	}

	#log(name: string): string {
		return path.join(this.#dataDir, "logs", `${name}.log`);
	}

	#record(): void {
		const { nats, redis, database } = this.#urls;
		const { env } = this.#options;
		const record: ClusterRecord = {
			pid: process.pid,
			url: env.PUBLIC_URL,
			startedAt: this.#startedAt,
			nats: { url: nats, pid: this.#servers.nats?.pid ?? null },
			redis: { url: redis, pid: this.#servers.redis?.pid ?? null },
			database: {
				url: database && Object.assign(new URL(database), { password: "" }).href,
				pid: this.#embedded?.pid ?? null,
			},
			processes: this.#rows.map(({ planned, keeper, url }) => ({
				...planned,
				pid: keeper.pid,
				url,
				state: keeper.state,
				startedAt: keeper.startedAt.toISOString(),
				restarts: keeper.restarts,
			})),
		};
		try {
			writeRecord(this.#dataDir, record);
		} catch (error) {
			// A full disk must not end those who look after the processes.
			this.#board?.say(`cluster.json could not be written: ${(error as Error).message}`);
		}
	}
}
