// The profiles' rooms, as everything of this node writes to them: facts, the inbox, jobs; several at once, without a gap.
import type { ServiceBroker } from "moleculer";
import { newId } from "../../../mixins/id.ts";
import type { NewEvent } from "../../../mixins/log-carrier.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import type { NoticeBody } from "../../contracts/rooms.ts";
import { presenceNode } from "../node.ts";
import { lockRooms } from "../store/seen.ts";

/** One event for the room of one profile. `id`: that of its cause where it has one, so that the same cause is the same event. */
export type Notice = { profileId: string; at: string; id?: string } & NoticeBody;

/** Appends in the transaction, and tells the doors after it. Answers the numbers, in the order given. */
export async function tellRooms(tx: Tx, broker: ServiceBroker, notices: readonly Notice[]): Promise<number[]> {
	if (notices.length === 0) return [];
	const { carrier, log } = presenceNode(broker);
	const profileIds = [...new Set(notices.map(({ profileId }) => profileId))];
	await lockRooms(tx, profileIds);
	const heads = await carrier.heads(profileIds, tx);
	const rows = notices.map(({ profileId, type, at, id = newId(), body }): NewEvent => {
		const seq = (heads.get(profileId) ?? 0) + 1;
		heads.set(profileId, seq);
		return { room: profileId, seq, id, type, at, sender: null, senderName: null, clientId: null, body };
	});
	await carrier.appendIn(tx, rows);
	tx.afterCommit(() => {
		for (const [profileId, own] of Map.groupBy(rows, ({ room }) => room)) {
			log.publish(
				profileId,
				own.map((row) => log.toEvent(row)),
			);
		}
	});
	return rows.map(({ seq }) => seq);
}
