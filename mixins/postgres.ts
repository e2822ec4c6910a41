/**
 * The way of every node to PostgreSQL: one pool per node and process, transactions, LISTEN, and a clear word for "the
 * database does not answer". A store imports `database("<node>")` and nothing else.
 *
 * Safe behind a transaction pooler: nothing lives in a session between two transactions. Timeouts and search_path belong
 * to the node's role (config/roles.ts), LISTEN goes over the direct URL, and named statements are used only where no
 * pooler stands in between.
 */
import pg from "pg";

export interface Queryable {
	/**
	 * Runs one statement and answers its rows. `name` makes it a prepared statement: use a fixed name per text for what runs
	 * often and touches few rows, so that the server plans it once per connection. Not for what looks something up for each of
	 * many rows: the plan may be from when the table was empty, and then every row is held against every other until the
	 * table's statistics are renewed.
	 * int8 arrives as number, timestamptz as Date, numeric and date as string (cast `sum(bigint)` with `::int8`).
	 */
	query<R = Record<string, unknown>>(sql: string, values?: readonly unknown[], name?: string): Promise<R[]>;
}

export interface Tx extends Queryable {
	/** `effect` runs once the commit has been confirmed, never after a rollback. What it throws is reported and swallowed. */
	afterCommit(effect: () => void): void;
}

/** Receives a notification's payload; `null` when LISTEN was made (again): something may have been missed, look yourself. */
export type Listener = (payload: string | null) => void;

export interface Db extends Queryable {
	/** Runs `work` in one transaction (read committed): commits when it resolves, rolls back when it rejects. Never retried. */
	tx<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
	/** Listens on a channel of this node until the answered function is called; survives restarts of the database. */
	listen(channel: string, listener: Listener): Promise<() => Promise<void>>;
	/** Whether the database answers a trivial question within two seconds. */
	healthy(): Promise<boolean>;
	/** Waits for what runs and closes every connection. */
	end(): Promise<void>;
}

export interface DatabaseOptions {
	/** URL for transactions of a node; may lead through a transaction pooler. */
	urlFor(node: string): string;
	/** URL for LISTEN; must reach the server itself. */
	directUrlFor(node: string): string;
	/** Named statements; default: on where both URLs are the same, that is, where no pooler stands in between. */
	prepared?: boolean;
	/** Connections per node and process (default 8), opened when needed, closed after 30 s without work. */
	poolSize?: number;
	/** How long a question waits for a connection, new or returned, before it is told "not now"; ms, default 5000. */
	waitMs?: number;
	/** Hears of what nobody waits for: an idle connection lost, an effect after a commit that threw. Default: stderr. */
	report?(error: unknown, where: string): void;
}

/** `code` of the error thrown when the database cannot be reached or is going away; the door answers 503. */
export const DATABASE_UNAVAILABLE = "database-unavailable";

/** True for an error of this module that means "not now": the statement may be tried again later by whoever asked. */
export function isUnavailable(error: unknown): boolean {
	return error instanceof Error && (error as { code?: unknown }).code === DATABASE_UNAVAILABLE;
}

const INT8 = 20;
const INT8_ARRAY = 1016;
const RELISTEN_FIRST_MS = 50;
const RELISTEN_MOST_MS = 2_000;

/** int8 as number: our counts and sequence numbers stay far below 2^53, and a string in their place is a bug factory. */
const types = {
	getTypeParser(oid: number, format?: "text" | "binary"): unknown {
		if (oid === INT8) return Number;
		const parse = pg.types.getTypeParser(oid, format as "text");
		return oid === INT8_ARRAY ? (text: string) => parse(text).map(Number) : parse;
	},
} as pg.CustomTypesConfig;

let options: DatabaseOptions | undefined;
const open = new Map<string, Db>();

/** Says where the nodes' databases are. Called once by config/app.ts (or a test) before any node starts. */
export function configureDatabases(next: DatabaseOptions): void {
	if (open.size > 0) throw new Error("Databases are open already: call closeDatabases() before configuring others.");
	options = next;
}

/** The database of a node: the same one at every call. Connects at the first question. */
export function database(node: string): Db {
	const present = open.get(node);
	if (present) return present;
	if (!options) throw new Error(`The database of ${node} was asked for before configureDatabases().`);
	const made = openDatabase(node, options);
	open.set(node, made);
	return made;
}

/** Closes all pools; afterwards configureDatabases() may be called again. */
export async function closeDatabases(): Promise<void> {
	const all = [...open.values()];
	open.clear();
	options = undefined;
	await Promise.all(all.map((db) => db.end()));
}

function openDatabase(node: string, config: DatabaseOptions): Db {
	const url = config.urlFor(node);
	const directUrl = config.directUrlFor(node);
	const prepared = config.prepared ?? url === directUrl;
	const report = config.report ?? reportToStderr;
	// Pipelining sends `begin` and the first statement together: one round trip less in each transaction.
	const settings: pg.PoolConfig & { pipeline: boolean } = {
		connectionString: url,
		application_name: `reloop ${node}`,
		max: config.poolSize ?? 8,
		min: 0,
		idleTimeoutMillis: 30_000,
		connectionTimeoutMillis: config.waitMs ?? 5_000,
		keepAlive: true,
		pipeline: true,
		types,
	};
	const pool = new pg.Pool(settings);
	// Without these two listeners a restart of the database would end the process: the pool's error speaks for idle
	// connections, and a connection that is checked out has no listener but the one given here.
	pool.on("error", (error) => report(error, `${node}: an idle connection was lost`));
	pool.on("connect", (client) => client.on("error", () => {}));

	const ask = async <R>(on: pg.Pool | pg.PoolClient, sql: string, values?: readonly unknown[], name?: string): Promise<R[]> => {
		const query: pg.QueryConfig = { text: sql };
		if (values) query.values = values as unknown[];
		if (name && prepared) query.name = name;
		const result = await on.query(query).catch(failed);
		return result.rows as R[];
	};

	const listeners = new Listeners(directUrl, node, report);

	return {
		query: (sql, values, name) => ask(pool, sql, values, name),
		async tx(work) {
			const client = await pool.connect().catch(failed);
			const effects: (() => void)[] = [];
			let broken = false;
			try {
				// Not awaited: it travels with the first statement. If it fails, so does everything after it.
				const begun = client.query("begin");
				begun.catch(() => {});
				const result = await work({
					query: (sql, values, name) => ask(client, sql, values, name),
					afterCommit: (effect) => void effects.push(effect),
				});
				await begun;
				// A statement that failed and was swallowed by `work` turns this commit into a rollback: say so, do not pretend.
				const { command } = await client.query("commit");
				if (command !== "COMMIT") throw new Error("The transaction was rolled back: a statement in it had failed.");
				return finish(result, effects, report, node);
			} catch (error) {
				await client.query("rollback").catch(() => {
					broken = true;
				});
				return failed(error);
			} finally {
				client.release(broken);
			}
		},
		listen: (channel, listener) => listeners.add(channel, listener),
		async healthy() {
			const { promise: late, resolve } = Promise.withResolvers<boolean>();
			const timer = setTimeout(resolve, 2_000, false);
			const asked = ask(pool, "select 1").then(
				() => true,
				() => false,
			);
			return Promise.race([asked, late]).finally(() => clearTimeout(timer));
		},
		async end() {
			// From here on a lost connection is what was asked for.
			pool.removeAllListeners("error").on("error", () => {});
			await Promise.all([listeners.end(), pool.end()]);
		},
	};
}

function finish<T>(result: T, effects: (() => void)[], report: (error: unknown, where: string) => void, node: string): T {
	for (const effect of effects) {
		try {
			effect();
		} catch (error) {
			report(error, `${node}: an effect after the commit failed`);
		}
	}
	return result;
}

/** One connection per node for all its channels, made when the first channel is wanted and made again when it is lost. */
class Listeners {
	readonly #url: string;
	readonly #node: string;
	readonly #report: (error: unknown, where: string) => void;
	readonly #channels = new Map<string, Set<Listener>>();
	#client: pg.Client | undefined;
	#connecting: Promise<void> | undefined;
	#retry: NodeJS.Timeout | undefined;
	#pause = RELISTEN_FIRST_MS;
	#ended = false;

	constructor(url: string, node: string, report: (error: unknown, where: string) => void) {
		this.#url = url;
		this.#node = node;
		this.#report = report;
	}

	async add(channel: string, listener: Listener): Promise<() => Promise<void>> {
		const fresh = !this.#channels.has(channel);
		const of = this.#channels.get(channel) ?? new Set();
		this.#channels.set(channel, of.add(listener));
		const remove = async () => {
			of.delete(listener);
			if (of.size > 0 || this.#channels.get(channel) !== of) return;
			this.#channels.delete(channel);
			await this.#client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {});
		};
		try {
			if (!this.#client) await this.#connect();
			else {
				if (fresh) await this.#client.query(`listen ${pg.escapeIdentifier(channel)}`);
				listener(null);
			}
		} catch (error) {
			await remove();
			return failed(error);
		}
		return remove;
	}

	async end(): Promise<void> {
		this.#ended = true;
		clearTimeout(this.#retry);
		await this.#connecting?.catch(() => {});
		const client = this.#client;
		this.#client = undefined;
		await client?.end().catch(() => {});
	}

	#connect(): Promise<void> {
		this.#connecting ??= this.#make().finally(() => {
			this.#connecting = undefined;
		});
		return this.#connecting;
	}

	async #make(): Promise<void> {
		const settings: pg.ClientConfig & { pipeline: boolean } = {
			connectionString: this.#url,
			application_name: `reloop ${this.#node} listen`,
			connectionTimeoutMillis: 5_000,
			keepAlive: true,
			pipeline: true,
		};
		const client = new pg.Client(settings);
		client.on("error", () => {});
		try {
			await client.connect();
			client.on("notification", ({ channel, payload }) => this.#tell(channel, payload ?? ""));
			for (const channel of this.#channels.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
		} catch (error) {
			client.end().catch(() => {});
			this.#later();
			return failed(error);
		}
		client.once("end", () => this.#lost(client));
		this.#client = client;
		this.#pause = RELISTEN_FIRST_MS;
		for (const channel of this.#channels.keys()) this.#tell(channel, null);
	}

	#lost(client: pg.Client): void {
		if (this.#client !== client) return;
		this.#client = undefined;
		this.#report(new Error("The listening connection was lost."), `${this.#node}: listening again`);
		this.#later();
	}

	#later(): void {
		if (this.#ended || this.#channels.size === 0) return;
		clearTimeout(this.#retry);
		this.#retry = setTimeout(() => this.#connect().catch(() => {}), this.#pause);
		this.#pause = Math.min(this.#pause * 2, RELISTEN_MOST_MS);
	}

	#tell(channel: string, payload: string | null): void {
		for (const listener of this.#channels.get(channel) ?? []) {
			try {
				listener(payload);
			} catch (error) {
				this.#report(error, `${this.#node}: a listener of ${channel} failed`);
			}
		}
	}
}

/** SQLSTATEs and socket errors that say "the server is not there", not "your statement is wrong". */
const unreachable = /^(08...|57P0[1235]|53300|ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
/** pg throws these without a code. */
const unreachableTexts =
	/^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;

function failed(error: unknown): never {
	if (error instanceof Error && !isUnavailable(error)) {
		const code = String((error as { code?: unknown }).code ?? "");
		if (unreachable.test(code) || unreachableTexts.test(error.message)) {
			throw Object.assign(new Error("The database does not answer.", { cause: error }), { code: DATABASE_UNAVAILABLE });
		}
	}
	throw error;
}

function reportToStderr(error: unknown, where: string): void {
	process.stderr.write(`${where}: ${error instanceof Error ? error.message : String(error)}\n`);
}
