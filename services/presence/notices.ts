// The consumers of this node: one feeds the profiles' rooms, one ends them.
import type { Consumer } from "../../mixins/facts/index.ts";
import { eachFact } from "../../mixins/facts/index.ts";
import type { NewEvent } from "../../mixins/log-carrier.ts";
import { noticed, number, toNotice } from "./domain/notices.ts";
import { presenceNode } from "./node.ts";
import { bury, goneAmong } from "./store.ts";

/** Appends what facts mean for each profile in the transaction that marks them as handled; tells the doors after it. */
export const notices: Consumer = {
	facts: noticed,
	async handle(facts, tx, { broker }) {
		const { carrier, log } = presenceNode(broker);
		const all = facts.map(toNotice).filter((notice) => notice !== undefined);
		const gone = await goneAmong(tx, [...new Set(all.map(({ profileId }) => profileId))]);
		const meant = all.filter(({ profileId }) => !gone.has(profileId));
		if (meant.length === 0) return;
		const heads = await carrier.heads([...new Set(meant.map(({ profileId }) => profileId))], tx);
		const rows: NewEvent[] = number(meant, heads).map(({ profileId, seq, type, at, id, body }) => ({
			room: profileId,
			seq,
			id,
			type,
			at,
			sender: null,
			senderName: null,
			clientId: null,
			body,
		}));
		await carrier.appendIn(tx, rows);
		tx.afterCommit(() => {
			for (const [profileId, own] of Map.groupBy(rows, ({ room }) => room)) {
				log.publish(
					profileId,
					own.map((row) => log.toEvent(row)),
				);
			}
		});
	},
};

/** A deleted profile leaves nothing here: not when it was seen, not what it was told. Its sockets are closed by the doors. */
export const endings: Consumer = eachFact({
	async "identity.profile.deleted"({ payload: { profileId }, at }, tx, { broker }) {
		await bury(tx, profileId, at);
		tx.afterCommit(() => presenceNode(broker).log.forget(profileId));
	},
});
