// A cluster on one machine: what its processes stand on (foundation.ts), and a process for each copy of a node, started in this
// order and ended in the other.
import fs from "node:fs";
import path from "node:path";
import type { Env } from "../env.ts";
import { Board, type Row } from "./board.ts";
import { Foundation } from "./foundation.ts";
import { Keeper, type Program } from "./keeper.ts";
import type { Planned } from "./plan.ts";
import { type ClusterRecord, clearAway, removeRecord, writeRecord } from "./record.ts";

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const DOORS = ["api", "socket"];
const PROBE_MS = 3_000;
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
	#rows: Row[] = [];
	#foundation: Foundation | undefined;
	#board: Board | undefined;
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
		const changed = (keeper: Keeper, how?: string): void => {
			this.#board?.changed(keeper, how);
			this.#record();
		};
		const foundation = new Foundation({ env, natsUrl, changed, log: (name) => this.#log(name) });
		this.#foundation = foundation;
		fs.mkdirSync(path.join(this.#dataDir, "logs"), { recursive: true });
		await clearAway(this.#dataDir);
		console.log(`What each process says is in ${path.join(this.#dataDir, "logs")}.`);
		await foundation.open();
		if (this.#stopping) return;
		this.#rows = plan.map((planned) => {
			const url = `http://localhost:${planned.port}`;
			return { planned, url, keeper: new Keeper(this.#program(planned, url, foundation.urls), changed) };
		});
		this.#board = new Board(this.#rows, screen);
		await Promise.all(this.#rows.map(({ keeper }) => keeper.start()));
		if (!this.#stopping) this.#board.say(`Reloop is ready at ${env.PUBLIC_URL}`);
	}

	/** Doors first: what they have taken is still answered by the others. Safe to call twice. */
	stop(): Promise<void> {
		this.#foundation?.abandon();
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	/** At once: nothing is drained. */
	kill(): void {
		for (const { keeper } of this.#rows) keeper.kill();
		this.#foundation?.kill();
	}

	async #stop(): Promise<void> {
		this.#board?.say("Draining …");
		const all = (rows: Row[]) => Promise.all(rows.map(({ keeper }) => keeper.stop()));
		await all(this.#rows.filter(({ planned }) => DOORS.includes(planned.node)));
		await all(this.#rows);
		await this.#foundation?.stop();
		this.#board?.end();
		removeRecord(this.#dataDir);
	}

	#program(planned: Planned, url: string, { nats, redis, database }: Foundation["urls"]): Program {
		const { name, node, port } = planned;
		const { env, environment, plan } = this.#options;
		// METRICS_PORT is the first one's; 0 is a free port for each.
		const metrics = env.METRICS_PORT ? env.METRICS_PORT + plan.indexOf(planned) : undefined;
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
				// Whatever runs here has one and the same DATA_DIR.
				UPLOADS_SHARED: "true",
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
		if (!this.#foundation) return;
		const { urls, servers, databasePid } = this.#foundation;
		const { env } = this.#options;
		const record: ClusterRecord = {
			pid: process.pid,
			url: env.PUBLIC_URL,
			startedAt: this.#startedAt,
			nats: { url: urls.nats, pid: servers.nats?.pid ?? null },
			redis: { url: urls.redis, pid: servers.redis?.pid ?? null },
			database: {
				url: urls.database && Object.assign(new URL(urls.database), { password: "" }).href,
				pid: databasePid,
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
