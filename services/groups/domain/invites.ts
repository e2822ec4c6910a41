// Inviting, and what becomes of an invite.
import { problem } from "../../contracts/errors.ts";
import type { MemberRole } from "../../contracts/groups.ts";
import { nothing } from "./decision.ts";
import type { GroupDecision, Moment, NewInvite } from "./decision.ts";
import { asMember, atLeast } from "./group.ts";
import type { GroupState } from "./group.ts";
import { joined } from "./members.ts";

/** Public groups: every member invites, as member. Private: moderators and admins. Nobody gives more than they have. */
export function invite(
	state: GroupState | null,
	moment: Moment,
	invite: NewInvite,
	open: { id: string } | undefined,
): GroupDecision<NewInvite> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (!group.isPublic && !atLeast(me.role, "moderator")) throw problem("forbidden");
	if (!atLeast(me.role, invite.role)) throw problem("rank");
	if (group.members.has(invite.inviteeId)) throw problem("already-member");
	if (open) throw problem("already-invited", { inviteId: open.id });
	const { id: inviteId, inviterId, inviteeId, role } = invite;
	return {
		events: [],
		facts: () => [
			{
				type: "groups.invite.created",
				aggregate: group.id,
				payload: { inviteId, groupId: group.id, groupName: group.name, inviterId, inviteeId, role },
			},
		],
		effects: [{ kind: "addInvite", invite }],
		answer: () => invite,
	};
}

/** Accepting makes a member with the role that the invite carries; one who is a member already keeps theirs. */
export function acceptInvite(
	state: GroupState | null,
	moment: Moment,
	invite: { id: string; inviterId: string; role: MemberRole },
): GroupDecision<null> {
	if (!state) throw problem("not-found");
	const { profileId } = moment.by;
	const entry = state.members.has(profileId) ? nothing(null) : joined(state, moment, invite.role);
	return {
		events: entry.events,
		facts: (seqs) => [
			...entry.facts(seqs),
			{
				type: "groups.invite.accepted",
				aggregate: state.id,
				payload: { inviteId: invite.id, groupId: state.id, inviterId: invite.inviterId, inviteeId: profileId },
			},
		],
		effects: [{ kind: "endInvite", inviteId: invite.id, state: "accepted", at: moment.at }],
		answer: () => null,
	};
}

export function declineInvite(state: GroupState | null, moment: Moment, invite: { id: string; inviterId: string }): GroupDecision<null> {
	if (!state) throw problem("not-found");
	return {
		events: [],
		facts: () => [
			{
				type: "groups.invite.declined",
				aggregate: state.id,
				payload: { inviteId: invite.id, groupId: state.id, inviterId: invite.inviterId, inviteeId: moment.by.profileId },
			},
		],
		effects: [{ kind: "endInvite", inviteId: invite.id, state: "declined", at: moment.at }],
		answer: () => null,
	};
}
