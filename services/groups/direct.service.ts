// The talk of two people.
import { newId, service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { groupsNode } from "./actor/actors.ts";
import { command, showGroupNow } from "./actor/command.ts";
import { openDirect } from "./domain/direct.ts";
import { visible } from "./domain/group.ts";
import { isApart, namePair, pairOf } from "./store/direct.ts";

export default service("direct", {
	node: groupsNode,

	actions: {
		async open(ctx, { db }) {
			const { profileId } = ctx.params;
			const me = ctx.caller.profileId;
			if (profileId === me)
				throw problem("validation", { errors: [{ path: "profileId", code: "conflict", message: "A direct talk is with somebody else." }] });
			const known = await pairOf(db, me, profileId);
			if (known === undefined) await ctx.call("profiles.show", { profileId });
			if (await isApart(db, me, profileId)) throw problem("blocked");
			// The name is given before the group is made: of two who ask at once, in two processes, both make the same.
			const groupId = known ?? (await namePair(db, me, profileId, newId()));
			return ctx.call("direct.make", { groupId, profileId });
		},

		async make(ctx, node) {
			const { groupId, profileId } = ctx.params;
			const me = ctx.caller.profileId;
			if (!(await node.read(groupId, me, profileId))) {
				const { displayName } = await ctx.call("profiles.show", { profileId });
				await command(node, ctx, groupId, (state, moment) => openDirect(state, groupId, moment, { profileId, displayName }));
			}
			const group = visible(await node.read(groupId, me, profileId), me);
			// What was said with somebody who is gone is in the list of groups; a talk with them is not to be had.
			if (!group.members.has(profileId)) throw problem("not-found");
			return showGroupNow(node, ctx, group, me);
		},
	},
});
