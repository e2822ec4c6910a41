// Invites into groups: made by members, answered by the one invited, by the invite's id or by its token.
import { randomBytes } from "node:crypto";
import { newId, pageById, service, settings } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import type { Invite } from "../contracts/groups.ts";
import { groupsNode } from "./actors.ts";
import { command } from "./command.ts";
import { acceptInvite, declineInvite, invite } from "./domain/invites.ts";
import { asMember } from "./domain/group.ts";
import { findInvite, invitesOfGroup, openInvite, openInvitesOf } from "./store/invites.ts";

/** The caller's own pending invite: anybody else's does not exist. */
async function mine(ctx: Ctx<unknown>, by: { id: string } | { token: string }): Promise<Invite> {
	const row = await findInvite(groupsNode(ctx.broker).db, new Date(), by);
	if (!row || row.inviteeId !== ctx.caller.profileId) throw problem("not-found");
	return row;
}

/** Answered where the group's owner is: whoever asks for the group next finds the new member. */
async function answer(ctx: Ctx<unknown>, by: { id: string } | { token: string }, accept: boolean): Promise<Invite> {
	const { id, groupId } = await mine(ctx, by);
	return ctx.call("invites.answer", { groupId, inviteId: id, accept }, { sameKey: true });
}

export default service("invites", {
	node: groupsNode,

	actions: {
		async create(ctx, node) {
			const { groupId, profileId, role, expiresInSeconds } = ctx.params;
			asMember(await node.actors.read(groupId), ctx.caller.profileId);
			// Nobody can be invited who is not there.
			await ctx.call("profiles.show", { profileId });
			return command(node, ctx, groupId, async (state, moment) => {
				const expiresAt = new Date(Date.parse(moment.at) + (expiresInSeconds ?? settings(ctx.broker).TTL_INVITE) * 1000).toISOString();
				const made = {
					id: newId(),
					token: randomBytes(24).toString("base64url"),
					inviterId: moment.by.profileId,
					inviteeId: profileId,
					role,
					expiresAt,
					createdAt: moment.at,
				};
				const decision = invite(state, moment, made, await openInvite(node.db, new Date(moment.at), groupId, profileId));
				return { ...decision, answer: () => ({ ...made, groupId, groupName: state?.name, state: "pending" as const }) };
			});
		},

		async ofGroup(ctx, { db, actors }) {
			const { groupId } = ctx.params;
			asMember(await actors.read(groupId), ctx.caller.profileId);
			return pageById(ctx.params, (before, limit) => invitesOfGroup(db, new Date(), groupId, before, limit));
		},

		async mine(ctx, node) {
			const { profileId } = ctx.caller;
			return pageById(ctx.params, (before, limit) => openInvitesOf(node.db, new Date(), profileId, before, limit));
		},

		async answer(ctx, node) {
			const { groupId, inviteId, accept } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) => {
				// Read again inside the mailbox: two answers at once meet here.
				const row = await mine(ctx, { id: inviteId });
				if (row.state === "expired") throw problem("expired");
				if (row.state !== "pending") throw problem("wrong-state", { state: row.state });
				const decision = accept ? acceptInvite(state, moment, row) : declineInvite(state, moment, row);
				return { ...decision, answer: () => ({ ...row, state: accept ? "accepted" : "declined" }) };
			});
		},

		accept: (ctx) => answer(ctx, { id: ctx.params.inviteId }, true),
		decline: (ctx) => answer(ctx, { id: ctx.params.inviteId }, false),
		acceptByToken: (ctx) => answer(ctx, { token: ctx.params.token }, true),
		declineByToken: (ctx) => answer(ctx, { token: ctx.params.token }, false),
	},
});
