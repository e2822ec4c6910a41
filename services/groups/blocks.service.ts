// Who wants to hear nothing of whom.
import { decodeCursor, pageOf, service, tellFacts } from "../../mixins/node.ts";
import { broadcast } from "../../mixins/signals.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import { groupsNode } from "./actor/actors.ts";
import type { GroupsNode } from "./actor/actors.ts";
import { apartFrom, block, blocksBefore, countBlocks, isApart, MOST_APART, pairOf, unblock } from "./store/direct.ts";

/** What follows: their talk knows of it before this is answered; doors a moment later. */
async function changed(ctx: Ctx, { db }: GroupsNode, profileId: string): Promise<void> {
	const me = ctx.caller.profileId;
	const groupId = await pairOf(db, me, profileId);
	if (groupId !== undefined) await ctx.call("groups.reload", { groupId });
	await broadcast(ctx.broker, "groups.apart", { profileIds: [me, profileId], apart: await isApart(db, me, profileId) });
}

export default service("blocks", {
	node: groupsNode,

	actions: {
		async add(ctx, node) {
			const { profileId } = ctx.params;
			const me = ctx.caller.profileId;
			if (profileId === me)
				throw problem("validation", { errors: [{ path: "profileId", code: "conflict", message: "Nobody blocks themselves." }] });
			const { displayName } = await ctx.call("profiles.show", { profileId });
			const blockedAt = await node.db.tx(async (tx) => {
				if ((await countBlocks(tx, me)) >= MOST_APART)
					throw problem("conflict", { detail: `At most ${MOST_APART} profiles can be blocked.` });
				const made = await block(tx, me, { profileId, displayName }, new Date().toISOString());
				const payload = { profileId: me, blockedId: profileId };
				if (made.isNew) await tellFacts(tx, ctx, [{ type: "groups.block.added", aggregate: me, payload }]);
				return made.blockedAt;
			});
			await changed(ctx, node, profileId);
			return { profileId, blockedAt };
		},

		async remove(ctx, node) {
			const { profileId } = ctx.params;
			const me = ctx.caller.profileId;
			await node.db.tx(async (tx) => {
				const payload = { profileId: me, blockedId: profileId };
				if (await unblock(tx, me, profileId)) await tellFacts(tx, ctx, [{ type: "groups.block.removed", aggregate: me, payload }]);
			});
			await changed(ctx, node, profileId);
			return {};
		},

		async list(ctx, { db }) {
			const { limit, cursor } = ctx.params;
			const [at, id] = decodeCursor(cursor, ["time", "uuid"]) ?? [null, null];
			return pageOf(
				await blocksBefore(db, ctx.caller.profileId, at, id, limit + 1),
				limit,
				({ blockedAt, profileId }) => [blockedAt, profileId],
				(one) => one,
			);
		},

		async apart(ctx, { db }) {
			const { profileIds } = ctx.params;
			const apart = await apartFrom(db, profileIds);
			return { apart: profileIds.map((id) => apart.get(id) ?? []) };
		},
	},
});
