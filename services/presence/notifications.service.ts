// A profile's own room, `profile:<id>`: a numbered log fed by nothing but facts, open to that profile alone.
import { factsOf } from "../../mixins/facts/index.ts";
import type { Consumer } from "../../mixins/facts/index.ts";
import { defineService, implement } from "../../mixins/node.ts";
import type { NewEvent } from "../../mixins/log-carrier.ts";
import { problem } from "../contracts/errors.ts";
import type { AnyFact } from "../contracts/index.ts";
import { noticed, number, toNotice } from "./domain/notices.ts";
import { presenceNode } from "./node.ts";

/** Appends what facts mean for each profile in the transaction that marks them as handled; tells the doors after it. */
const notices: Consumer = {
	facts: noticed,
	async handle(facts, tx, { broker }) {
		const { carrier, log } = presenceNode(broker);
		const meant = facts.map((fact) => toNotice(fact as AnyFact)).filter((notice) => notice !== undefined);
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

export default defineService({
	name: "notifications",
	mixins: [factsOf("presence", { notices })],

	actions: implement("notifications", {
		async heads(ctx) {
			const known = await presenceNode(ctx.broker).carrier.heads(ctx.params.keys);
			return { heads: ctx.params.keys.map((key) => known.get(key) ?? 0) };
		},

		async openRoom(ctx) {
			const { headOf, log } = presenceNode(ctx.broker);
			const { key, after, limit } = ctx.params;
			if (key !== ctx.caller.profileId) throw problem("not-found");
			const head = await headOf(key);
			if (after !== undefined && after > head) throw problem("seq-ahead", { head });
			return log.opened(key, head, after, limit);
		},
	}),
});
