// People who were there before this node kept names: asked of the identity node once, portion by portion, after an update.
import { callAction } from "../../../mixins/call.ts";
import type { JobTools } from "../../../mixins/jobs/index.ts";
import { learnedTo, noteLearned, savePeople, saveSettings } from "../store/people.ts";

const PORTION = 1_000;

/** Goes on where it was broken off. What facts have told since is newer, and stays. */
export async function learn(_payload: object, { db, broker, signal }: JobTools): Promise<void> {
	for (let from = await learnedTo(db); from; from = await learnedTo(db)) {
		signal.throwIfAborted();
		const { people } = await callAction(broker, "identity.people", {
			...(from.after === null ? {} : { after: from.after }),
			limit: PORTION,
		});
		await db.tx(async (tx) => {
			await savePeople(tx, people, false);
			await saveSettings(tx, people, false);
			await noteLearned(tx, people.length < PORTION ? null : (people.at(-1)?.profileId ?? null));
		});
	}
}
