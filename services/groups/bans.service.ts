// Who may not be in a group.
import { decodeCursor, pageOf, service } from "../../mixins/node.ts";
import { groupsNode } from "./actor/actors.ts";
import { command } from "./actor/command.ts";
import { asModerator, ban, unban } from "./domain/bans.ts";
import { openInvitesAround } from "./store/invites.ts";
import { bansBefore, standingOf } from "./store/standing.ts";

export default service("bans", {
	node: groupsNode,

	actions: {
		async ban(ctx, node) {
			const { groupId, profileId } = ctx.params;
			const { group } = asModerator(await node.read(groupId, ctx.caller.profileId, profileId), ctx.caller.profileId);
			// A stranger is called as they are called everywhere; one who is nobody cannot be banned.
			const { displayName } = group.members.get(profileId) ?? (await ctx.call("profiles.show", { profileId }));
			return command(node, ctx, groupId, async (state, moment) => {
				const standing = await standingOf(node.db, groupId, profileId, moment.at);
				return ban(state, moment, { profileId, displayName }, standing, await openInvitesAround(node.db, groupId, { byOrTo: profileId }));
			});
		},

		async unban(ctx, node) {
			const { groupId, profileId } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) =>
				unban(state, moment, profileId, await standingOf(node.db, groupId, profileId, moment.at)),
			);
		},

		async list(ctx, node) {
			const { groupId, limit, cursor } = ctx.params;
			const [at, id] = decodeCursor(cursor, ["time", "uuid"]) ?? [null, null];
			asModerator(await node.read(groupId, ctx.caller.profileId), ctx.caller.profileId);
			return pageOf(
				await bansBefore(node.db, groupId, at, id, limit + 1),
				limit,
				({ bannedAt, profileId }) => [bannedAt, profileId],
				(one) => one,
			);
		},
	},
});
