// Who asks to join a private group.
import { decodeCursor, pageOf, service } from "../../mixins/node.ts";
import { groupsNode } from "./actor/actors.ts";
import { command } from "./actor/command.ts";
import { asModerator } from "./domain/bans.ts";
import { acceptRequest, declineRequest } from "./domain/requests.ts";
import { findRequest, requestsAfter, standingOf } from "./store/standing.ts";

export default service("requests", {
	node: groupsNode,

	actions: {
		async list(ctx, node) {
			const { groupId, limit, cursor } = ctx.params;
			const [at, id] = decodeCursor(cursor, ["time", "uuid"]) ?? [null, null];
			asModerator(await node.read(groupId, ctx.caller.profileId), ctx.caller.profileId);
			return pageOf(
				await requestsAfter(node.db, groupId, at, id, limit + 1),
				limit,
				({ requestedAt, profileId }) => [requestedAt, profileId],
				(request) => request,
			);
		},

		async accept(ctx, node) {
			const { groupId, profileId } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) => {
				const { invite } = await standingOf(node.db, groupId, profileId, moment.at);
				return acceptRequest(state, moment, await findRequest(node.db, groupId, profileId), invite);
			});
		},

		async decline(ctx, node) {
			const { groupId, profileId } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) =>
				declineRequest(state, moment, await findRequest(node.db, groupId, profileId)),
			);
		},
	},
});
