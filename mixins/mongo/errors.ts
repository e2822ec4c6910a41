// What the server's errors mean: not now, or never.
import { setTimeout as pause } from "node:timers/promises";
import { DATABASE_UNAVAILABLE } from "../postgres.ts";

/** How long (ms) a question is asked again while the server is away, and how often. */
export const PATIENCE_MS = 4_000;
export const AGAIN_MS = 50;

/** Errors of the server that say "not now": it is stopping, not the primary, has only just begun, or somebody else was in the way. */
const PASSING = new Set([6, 7, 43, 64, 89, 91, 112, 133, 134, 189, 237, 246, 251, 262, 9001, 10107, 11600, 11601, 11602, 13435, 13436]);

/** True for what may be different the next time. Of a write it does not say that it did not take place. */
export function mayPass(error: unknown): boolean {
	const { name = "", code, errorLabels } = error as { name?: string; code?: unknown; errorLabels?: unknown };
	const transient = Array.isArray(errorLabels) && errorLabels.includes("TransientTransactionError");
	return transient || PASSING.has(code as number) || /^Mongo(Network|NetworkTimeout|ServerSelection|Timeout|WriteConcern)Error$/.test(name);
}

/** The name of the unique index that a write ran into. */
export function takenIndex(error: unknown): string | undefined {
	const { code, message = "" } = error as { code?: unknown; message?: string };
	return code === 11000 ? (/index: (\S+) dup key/.exec(message)?.[1] ?? "") : undefined;
}

/** The same word as for PostgreSQL, so that doors and mailboxes do with it what they do there. */
export const unavailable = (cause: unknown): Error =>
	Object.assign(new Error("The message log does not answer.", { cause }), { code: DATABASE_UNAVAILABLE });

/** Does `work` again while the server is away, for a few seconds; then the error says "not now". */
export async function patiently<R>(work: () => Promise<R>): Promise<R> {
	const until = performance.now() + PATIENCE_MS;
	for (;;) {
		try {
			return await work();
		} catch (error) {
			if (!mayPass(error)) throw error;
			if (performance.now() > until) throw unavailable(error);
			await pause(AGAIN_MS);
		}
	}
}
