/**
 * The way of every node to PostgreSQL: one pool per node and process, transactions, LISTEN, and a clear word for "the
 * database does not answer". A store imports `database("<node>")` and nothing else.
 *
 * Safe behind a transaction pooler: nothing lives in a session between two transactions. Timeouts and search_path belong
 * to the node's role (config/roles.ts), LISTEN goes over the direct URL, and named statements are used only where no
 * pooler stands in between.
 */
import { openDatabase } from "./postgres-pool.ts";

export { DATABASE_UNAVAILABLE, isUnavailable } from "./postgres-errors.ts";

export interface Queryable {
	/**
	 * Runs one statement and answers its rows. `name` makes it a prepared statement: use a fixed name per text for what runs
	 * often and touches few rows, so that the server plans it once per connection. Not for what looks something up for each of
	 * many rows: the plan may be from when the table was empty, and then every row is held against every other until the
	 * table's statistics are renewed.
	 * int8 arrives as number; timestamptz as the contracts have it, `2026-01-31T09:30:00.000Z`; numeric and date as string (cast
	 * `sum(bigint)` with `::int8`). Times of this form are in the order of their texts. As a value a time may be a Date too.
	 */
	query<R = Record<string, unknown>>(sql: string, values?: readonly unknown[], name?: string): Promise<R[]>;
}

export interface Tx extends Queryable {
	/**
	 * A statement whose answer nobody needs: it is not waited for, and travels with what comes next, at last the commit. Where it
	 * fails, the transaction does.
	 */
	send(sql: string, values?: readonly unknown[], name?: string): void;
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
