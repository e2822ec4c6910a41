// A node's pool of connections, and transactions on it.
import pg from "pg";
import type { DatabaseOptions, Db, Tx } from "./postgres.ts";
import { failed } from "./postgres-errors.ts";
import { Listeners } from "./postgres-listen.ts";
import { types } from "./postgres-types.ts";

type Report = NonNullable<DatabaseOptions["report"]>;
/** One statement on the pool or on one of its connections; parameters as of `Queryable`. */
type Ask = <R>(on: pg.Pool | pg.PoolClient, sql: string, values?: readonly unknown[], name?: string) => Promise<R[]>;

/** The database of a node, as configured. Connects at the first question. */
export function openDatabase(node: string, config: DatabaseOptions): Db {
	const url = config.urlFor(node);
	const directUrl = config.directUrlFor(node);
	const report = config.report ?? reportToStderr;
	const ask = asker(config.prepared ?? url === directUrl);
	const pool = openPool(node, url, config, report);
	const listeners = new Listeners(directUrl, node, report);

	return {
		query: (sql, values, name) => ask(pool, sql, values, name),
		tx: (work) => transaction(pool, ask, work, (error) => report(error, `${node}: an effect after the commit failed`)),
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

function openPool(node: string, url: string, { poolSize = 8, waitMs = 5_000 }: DatabaseOptions, report: Report): pg.Pool {
	// Pipelining sends `begin` and the first statement together: one round trip less in each transaction.
	const settings: pg.PoolConfig & { pipeline: boolean } = {
		connectionString: url,
		application_name: `reloop ${node}`,
		max: poolSize,
		min: 0,
		idleTimeoutMillis: 30_000,
		connectionTimeoutMillis: waitMs,
		keepAlive: true,
		pipeline: true,
		types,
	};
	const pool = new pg.Pool(settings);
	// Without these two listeners a restart of the database would end the process: the pool's error speaks for idle
	// connections, and a connection that is checked out has no listener but the one given here.
	pool.on("error", (error) => report(error, `${node}: an idle connection was lost`));
	pool.on("connect", (client) => client.on("error", () => {}));
	return pool;
}

/** @param prepared whether named statements are prepared */
function asker(prepared: boolean): Ask {
	return async <R>(on: pg.Pool | pg.PoolClient, sql: string, values?: readonly unknown[], name?: string) => {
		const query: pg.QueryConfig = { text: sql };
		if (values) query.values = values as unknown[];
		if (name && prepared) query.name = name;
		const result = await on.query(query).catch(failed);
		return result.rows as R[];
	};
}

async function transaction<T>(pool: pg.Pool, ask: Ask, work: (tx: Tx) => Promise<T>, onFailedEffect: (error: unknown) => void): Promise<T> {
	const client = await pool.connect().catch(failed);
	const effects: (() => void)[] = [];
	const sent: Promise<unknown>[] = [];
	let failedSent: unknown;
	let broken = false;
	let result: T;
	try {
		// Not awaited: it travels with the first statement. If it fails, so does everything after it.
		const begun = client.query("begin");
		begun.catch(() => {});
		result = await work({
			query: (sql, values, name) => ask(client, sql, values, name),
			send(sql, values, name) {
				const statement = ask(client, sql, values, name);
				statement.catch((error: unknown) => {
					failedSent ??= error;
				});
				sent.push(statement);
			},
			afterCommit: (effect) => void effects.push(effect),
		});
		await begun;
		// A statement that failed and was swallowed by `work` turns this commit into a rollback: say so, do not pretend.
		const committed = client.query("commit");
		committed.catch(() => {});
		await Promise.all(sent);
		const { command } = await committed;
		if (command !== "COMMIT") throw new Error("The transaction was rolled back: a statement in it had failed.");
	} catch (error) {
		await client.query("rollback").catch(() => {
			broken = true;
		});
		// What follows a failed statement fails too, and says less.
		return failed(failedSent ?? error);
	} finally {
		client.release(broken);
	}
	for (const effect of effects) {
		try {
			effect();
		} catch (error) {
			onFailedEffect(error);
		}
	}
	return result;
}

function reportToStderr(error: unknown, where: string): void {
	process.stderr.write(`${where}: ${error instanceof Error ? error.message : String(error)}\n`);
}
