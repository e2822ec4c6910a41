// The consumer that feeds the profiles' rooms.
import type { Consumer } from "../../mixins/facts/index.ts";
import type { NewEvent } from "../../mixins/log-carrier.ts";
import { noticed, number, toNotice } from "./domain/notices.ts";
import { presenceNode } from "./node.ts";

/** Appends what facts mean for each profile in the transaction that marks them as handled; tells the doors after it. */
export const notices: Consumer = {
	facts: noticed,
	async handle(facts, tx, { broker }) {
		const { carrier, log } = presenceNode(broker);
		const meant = facts.map(toNotice).filter((notice) => notice !== undefined);
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
