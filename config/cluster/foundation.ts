// What the processes of a cluster stand on: NATS, Redis, and the database with its schemas. Each is named by its variable, or
// found on this machine and looked after here.
import { openDatabases } from "../databases.ts";
import { type Embedded, startEmbedded } from "../embedded-postgres.ts";
import type { Env } from "../env.ts";
import { migrateAll, nodesWithMigrations } from "../migrations.ts";
import { Keeper } from "./keeper.ts";
import { findPrograms, type LocalServer, natsProgram, redisProgram } from "./servers.ts";

/** Nine connections for each process that has a database, some for tools, and as many again while one is replaced. */
const DATABASE_SETTINGS = { max_connections: 250 };

export interface FoundationOptions {
	env: Env;
	natsUrl: string | undefined;
	/** Hears of each change of a server. */
	changed: (keeper: Keeper, how?: string) => void;
	/** Where a server's words go. */
	log: (name: string) => string;
}

export class Foundation {
	readonly #options: FoundationOptions;
	readonly #programs: Record<string, string>;
	/** Those that run here. */
	readonly servers: { nats?: Keeper; redis?: Keeper } = {};
	/** Where all of them are, once it is open. */
	readonly urls = { nats: "", redis: "", database: "" };
	#embedded: Embedded | undefined;
	#opening: Promise<void> | undefined;
	#abandoned = false;

	/** Throws a sentence where a program is missing. */
	constructor(options: FoundationOptions) {
		this.#options = options;
		const { env, natsUrl } = options;
		this.#programs = findPrograms([...(natsUrl ? [] : ["nats-server"]), ...(env.REDIS_URL ? [] : ["redis-server"])]);
	}

	/** Of the embedded PostgreSQL; null where the database was named. */
	get databasePid(): number | null {
		return this.#embedded?.pid ?? null;
	}

	/** Resolved when all of it is ready. Rejects with a sentence where something does not come up. */
	open(): Promise<void> {
		const opening = this.#open();
		this.#opening = opening.catch(() => {});
		return opening;
	}

	/** From now on nothing more is started. */
	abandon(): void {
		this.#abandoned = true;
	}

	/** What is about to be there is stopped too. */
	async stop(): Promise<void> {
		await Promise.all(Object.values(this.servers).map((server) => server.stop()));
		await this.#opening;
		await this.#embedded?.stop();
	}

	kill(): void {
		for (const server of Object.values(this.servers)) server.kill();
	}

	/** Servers and schemas, side by side. */
	async #open(): Promise<void> {
		const { env, natsUrl, changed, log } = this.#options;
		const run = async (name: "nats" | "redis", given: string | undefined, make: () => Promise<LocalServer>): Promise<void> => {
			if (given) {
				this.urls[name] = given;
				return;
			}
			const { url, program } = await make();
			if (this.#abandoned) return;
			const keeper = new Keeper(program, changed);
			this.servers[name] = keeper;
			this.urls[name] = url;
			await keeper.start();
		};
		const program = (name: string): string => this.#programs[name] ?? name;
		await Promise.all([
			run("nats", natsUrl, () => natsProgram(program("nats-server"), env.DATA_DIR, log("nats"))),
			run("redis", env.REDIS_URL, () => redisProgram(program("redis-server"), env.DATA_DIR, log("redis"))),
			this.#openDatabase(),
		]);
	}

	/** The database that was named, or the embedded one for all whose own was not; with the schemas as the code expects them. */
	async #openDatabase(): Promise<void> {
		const { env } = this.#options;
		const say = (sentence: string): void => console.log(sentence);
		const homeless = nodesWithMigrations().some((node) => env.NODES.includes(node) && !env.databases[node]?.url);
		if (!env.DATABASE_URL && homeless) this.#embedded = await startEmbedded(env.DATA_DIR, { say, settings: DATABASE_SETTINGS });
		this.urls.database = env.DATABASE_URL ?? this.#embedded?.ownerUrl ?? "";
		const { migrations } = await openDatabases({ ...env, DATABASE_URL: this.urls.database || undefined }, say);
		await migrateAll(migrations, "up");
	}
}
