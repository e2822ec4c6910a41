// One question to every living process.
import type { Desk } from "../desk.ts";
import type { OpsAction, Reached } from "../processes.ts";

/** Asks all processes the same; those that do not answer are named by `silent`. */
export async function askAll<T>(desk: Desk, ask: (process: Reached) => Promise<T>): Promise<{ answers: [string, T][]; silent: string[] }> {
	const silent: string[] = [];
	const refusals: unknown[] = [];
	const answers: [string, T][] = [];
	await Promise.all(
		desk.processes().map(async (process) => {
			try {
				answers.push([process.nodeId, await ask(process)]);
			} catch (error) {
				silent.push(process.nodeId);
				refusals.push(error);
			}
		}),
	);
	// What none of them takes is said, not told as silence.
	if (answers.length === 0 && refusals.length > 0) throw refusals[0];
	return { answers: answers.sort(([a], [b]) => (a < b ? -1 : 1)), silent: silent.sort() };
}

/** For people: who did not answer. */
export const silence = (silent: readonly string[]): string => (silent.length > 0 ? `\nNo answer from: ${silent.join(", ")}` : "");
/** All there is, up to so many. */
export const most = <A extends OpsAction>(_action: A, limit = 10_000): { limit: number } => ({ limit });
