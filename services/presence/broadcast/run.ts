// Tells many people something, portion after portion: each portion and how far the work has come are one transaction, so that whoever goes
// on with it after a crash goes on behind it; and the work is the cause, which notifies nobody twice.
import { setTimeout as pause } from "node:timers/promises";
import { callAction } from "../../../mixins/call.ts";
import type { WorkTools } from "../../../mixins/work/index.ts";
import type { Wanted } from "../domain/causes.ts";
import type { Values } from "../domain/wordings.ts";
import { notify } from "../notify/notify.ts";
import { beginBroadcast, noteBroadcast } from "../store/broadcasts.ts";
import type { Broadcast, BroadcastResult } from "./work.ts";

const PORTION = 500;
/** After a portion the work rests for this share of the time that it took: others want the database, too. */
const REST = 0.25;
/** Progress is told so often (ms). */
const TELL_MS = 500;

export async function tellMany({ texts, data, whom, before }: Broadcast, tools: WorkTools): Promise<BroadcastResult> {
	const { id, db, broker, signal, progress } = tools;
	const ask = { ...whom, before };
	let { after, done, told } = await beginBroadcast(db, id);
	const { role, area, profileIds } = whom;
	const total = profileIds?.length ?? (await callAction(broker, "identity.audienceSize", { role, area, before })).profiles;
	let toldAt = 0;
	const tell = (now: number) => {
		toldAt = now;
		return progress(done, Math.max(total, done));
	};
	const inLanguage: { [language: string]: Values | undefined } = texts;
	const wanted = (ids: readonly string[]): Wanted[] => {
		const at = new Date().toISOString();
		return ids.map((profileId) => ({
			profileId,
			wording: "said",
			cause: `broadcast ${id}`,
			values: { ...texts.en },
			inLanguage,
			data,
			at,
		}));
	};
	for (;;) {
		signal.throwIfAborted();
		const began = performance.now();
		const page = await callAction(broker, "identity.audience", { ...ask, ...(after === null ? {} : { after }), limit: PORTION });
		const last = page.profileIds.at(-1);
		if (last === undefined) break;
		const all = wanted(page.profileIds);
		const made = await db.tx(async (tx) => {
			const rows = await notify(tx, broker, all);
			await noteBroadcast(tx, id, last, all.length, rows.length);
			return rows.length;
		});
		[after, done, told] = [last, done + all.length, told + made];
		if (Date.now() - toldAt >= TELL_MS) await tell(Date.now());
		if (page.profileIds.length < PORTION) break;
		await pause((performance.now() - began) * REST, undefined, { signal });
	}
	await tell(Date.now());
	return { recipients: done, notified: told };
}
