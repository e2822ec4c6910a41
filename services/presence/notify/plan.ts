// The jobs of the ladder: one for each notification that is not at its end, under the notification's id.
import type { Tx } from "../../../mixins/postgres.ts";
import type { Step } from "../domain/kinds.ts";
import { presenceJobs } from "../jobs.ts";

/** @param steps `at` in ms since 1970 */
export const planSteps = (tx: Tx, steps: readonly { id: string; step: Step; at: number }[]): Promise<void> =>
	presenceJobs.planAll(
		tx,
		"climb",
		steps.map(({ id, at }) => ({ payload: { id }, at: new Date(at), key: id })),
	);

/** They were read, or are gone. */
export const cancelSteps = (tx: Tx, ids: readonly string[]): Promise<void> => presenceJobs.cancelAll(tx, "climb", ids);

/** One for each time at which a profile's digest goes out. */
export const planDigest = (tx: Tx, profileId: string, at: number): Promise<void> =>
	presenceJobs.plan(tx, "digest", { profileId }, { at: new Date(at), key: `${profileId} ${new Date(at).toISOString()}` });
