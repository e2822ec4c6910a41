// What is over: an invite that was answered or taken back, a message that was deleted. Nobody is told of it any more.
import type { ServiceBroker } from "moleculer";
import type { Tx } from "../../../mixins/postgres.ts";
import type { Over } from "../domain/causes.ts";
import { presenceNode } from "../node.ts";
import { withdraw } from "../push/index.ts";
import { lockRooms } from "../store/seen.ts";
import type { NotificationRow } from "../store/notifications.ts";
import { causedBy, deleteNotifications, rewordEvents, updateNotifications } from "../store/notifications.ts";
import { asNotice, worded } from "./notify.ts";
import { cancelSteps } from "./plan.ts";
import { tellRooms } from "./room.ts";
import { idsTold, seen } from "./seen.ts";

/** Stands where something was quoted that is not there any more. */
const NOTHING = "…";

/** Takes notifications away, and their words and whom they name out of the room's log: once they are gone, nobody would find it there. */
export async function takeAway(tx: Tx, broker: ServiceBroker, rows: readonly NotificationRow[]): Promise<void> {
	const at = new Date().toISOString();
	for (const [profileId, own] of Map.groupBy(rows, (row) => row.profileId)) {
		const ids = own.map(({ id }) => id);
		await deleteNotifications(tx, ids);
		await cancelSteps(tx, ids);
		await withdraw(tx, profileId, ids);
		for (const row of own) if (row.shown) await rewordEvents(tx, { ...row, title: NOTHING, body: "", data: {} });
		const shown = own.filter((row) => row.shown).map(({ id }) => id);
		await tellRooms(tx, broker, idsTold(profileId, "deleted", shown, at));
		tx.afterCommit(() => presenceNode(broker).log.forget(profileId));
	}
}

/** Of several things in one notification one is gone: it quotes it no more. */
async function lessen(tx: Tx, broker: ServiceBroker, row: NotificationRow, cause: string): Promise<void> {
	const quotes = row.cause === cause;
	const less = worded({ ...row, count: row.count - 1, ...(quotes ? { vals: { ...row.vals, excerpt: NOTHING } } : {}) });
	if (quotes && row.shown) await rewordEvents(tx, { ...less, title: NOTHING, body: "" });
	const [seq = row.seq] = row.shown ? await tellRooms(tx, broker, [asNotice(less, "updated", new Date().toISOString())]) : [];
	await updateNotifications(tx, [{ ...less, seq }]);
	tx.afterCommit(() => presenceNode(broker).log.forget(row.profileId));
}

/** Safe to do twice: what is gone is not there to be taken away. */
export async function end(tx: Tx, broker: ServiceBroker, { cause, beginning = false, as }: Over): Promise<void> {
	const found = await causedBy(tx, cause, beginning);
	if (found.length === 0) return;
	await lockRooms(tx, [...new Set(found.map(({ profileId }) => profileId))]);
	const rows = await causedBy(tx, cause, beginning);
	if (as === "seen") {
		for (const { profileId, id } of rows) await seen(tx, broker, profileId, [id]);
		return;
	}
	const several = rows.filter(({ count }) => count > 1);
	for (const row of several) await lessen(tx, broker, row, cause);
	await takeAway(
		tx,
		broker,
		rows.filter((row) => !several.includes(row)),
	);
}
