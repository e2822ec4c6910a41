// graphile-worker's way to the database: the node's own connections, and no others.
import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "pg";
import type { Db } from "../postgres.ts";

/** Statements at once: all lanes look for jobs at the same moment, and need not keep a connection open each. */
const AT_ONCE = 2;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

interface Statement {
	text: string;
	values?: readonly unknown[];
	name?: string;
}

/**
 * A pool over a node's database. graphile-worker does not wait for the statement that notes how a job ended, and nobody hears when it
 * fails: so what fails is asked again until it is answered, and `onError` hears of it once. Stopping, it answers "nothing" instead.
 */
export class Bridge {
	readonly pool: Pool;
	readonly #db: Db;
	readonly #onError: (error: unknown) => void;
	readonly #open = new Set<Promise<unknown>>();
	readonly #stop = new AbortController();
	readonly #queue: (() => void)[] = [];
	#asking = 0;
	#failing = false;

	constructor(db: Db, onError: (error: unknown) => void) {
		this.#db = db;
		this.#onError = onError;
		const client = { query: (statement: Statement) => this.#query(statement), release: () => {} };
		// With a callback it wants a connection for LISTEN: the engine listens itself, over the node's one listening connection.
		const connect = (callback?: unknown) => (callback ? undefined : Promise.resolve(client));
		// Of a pool, its worker uses nothing but this.
		this.pool = { connect } as unknown as Pool;
	}

	/** From now on nothing is asked twice. */
	stop(): void {
		this.#stop.abort();
	}

	/** Resolved when everything under way has been answered. */
	async settled(): Promise<void> {
		while (this.#open.size > 0) await Promise.all(this.#open);
	}

	#query(statement: Statement): Promise<{ rows: unknown[] }> {
		const asked = this.#untilAnswered(statement).finally(() => this.#open.delete(asked));
		this.#open.add(asked);
		return asked;
	}

	async #untilAnswered({ text, values, name }: Statement): Promise<{ rows: unknown[] }> {
		const { signal } = this.#stop;
		for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
			try {
				const rows = await this.#inTurn(() => this.#db.query(text, values, name));
				this.#failing = false;
				return { rows };
			} catch (error) {
				if (signal.aborted) return { rows: [] };
				if (!this.#failing) this.#onError(error);
				this.#failing = true;
				await pause(wait, undefined, { signal }).catch(() => {});
			}
		}
	}

	async #inTurn<T>(ask: () => Promise<T>): Promise<T> {
		if (this.#asking < AT_ONCE) this.#asking++;
		else await new Promise<void>((resolve) => this.#queue.push(resolve));
		try {
			return await ask();
		} finally {
			const next = this.#queue.shift();
			if (next) next();
			else this.#asking--;
		}
	}
}
