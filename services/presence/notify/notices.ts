// The consumers of this node: one feeds the profiles' rooms, one ends them.
import type { Consumer } from "../../../mixins/facts/index.ts";
import { eachFact } from "../../../mixins/facts/index.ts";
import { noticed, toNotice } from "../domain/notices.ts";
import { presenceNode } from "../node.ts";
import { tellRooms } from "./room.ts";
import { bury, goneAmong } from "../store/seen.ts";

/** Appends what facts mean for each profile in the transaction that marks them as handled; tells the doors after it. */
export const notices: Consumer = {
	facts: noticed,
	async handle(facts, tx, { broker }) {
		const all = facts.map(toNotice).filter((notice) => notice !== undefined);
		const gone = await goneAmong(tx, [...new Set(all.map(({ profileId }) => profileId))]);
		const meant = all.filter(({ profileId }) => !gone.has(profileId));
		await tellRooms(tx, broker, meant);
	},
};

/** A deleted profile leaves nothing here: not when it was seen, not what it was told. Its sockets are closed by the doors. */
export const endings: Consumer = eachFact({
	async "identity.profile.deleted"({ payload: { profileId }, at }, tx, { broker }) {
		await bury(tx, profileId, at);
		tx.afterCommit(() => presenceNode(broker).log.forget(profileId));
	},
});
