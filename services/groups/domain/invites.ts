// Inviting, and what becomes of an invite. Pure.
import { problem } from "../../contracts/errors.ts";
import type { MemberRole } from "../../contracts/groups.ts";
import type { Invite } from "../../contracts/invites.ts";
import { together } from "./decision.ts";
import type { GroupDecision, InviteMail, Moment, NewInvite, OpenInvite } from "./decision.ts";
import { asMember, atLeast } from "./group.ts";
import type { GroupState, Member } from "./group.ts";
import { accepted, declined, expired, revoked, withdrawn } from "./ended.ts";
import { joined } from "./members.ts";
import type { Standing } from "./members.ts";

/** What is known of who is to be invited. `open`: an invite that is still said to be so; it may have run out. */
export interface Invitee {
	banned: boolean;
	/** One of the two has blocked the other. */
	blocked: boolean;
	open: (OpenInvite & { expiresAt: string }) | undefined;
}
const ANYBODY: Invitee = { banned: false, blocked: false, open: undefined };

/** As addresses are compared everywhere (identity does so too). */
export const normalizeEmail = (email: string): string => email.trim().normalize("NFKC").toLowerCase();

/** Public groups: every member invites, as member. Private: moderators and admins. Nobody gives more than they have. */
export function mayInvite(state: GroupState | null, profileId: string, role: MemberRole): { group: GroupState; me: Member } {
	const { group, me } = asMember(state, profileId);
	if (group.kind === "direct" || (!group.isPublic && !atLeast(me.role, "moderator"))) throw problem("forbidden");
	if (!atLeast(me.role, role)) throw problem("rank");
	return { group, me };
}

export function invite(
	state: GroupState | null,
	moment: Moment,
	invite: NewInvite,
	{ banned, blocked, open }: Invitee = ANYBODY,
	mail?: InviteMail,
): GroupDecision<NewInvite> {
	const { group } = mayInvite(state, moment.by.profileId, invite.role);
	const { id: inviteId, inviterId, inviteeId, role, expiresAt } = invite;
	if (inviteeId !== null && group.members.has(inviteeId)) throw problem("already-member");
	if (blocked) throw problem("blocked");
	if (banned) throw problem("banned", { detail: "This profile is banned from the group." });
	const ranOut = open !== undefined && Date.parse(open.expiresAt) <= Date.parse(moment.at);
	if (open && !ranOut) throw problem("already-invited", { inviteId: open.id });
	const payload = {
		...{ inviteId, groupId: group.id, groupName: group.name, inviterId, inviterName: moment.by.displayName, inviteeId, role, expiresAt },
	};
	const made: GroupDecision = {
		events: [],
		facts: () => [{ type: "groups.invite.created", aggregate: group.id, payload }],
		effects: [{ kind: "addInvite", invite, mail }],
		answer: () => invite,
	};
	// One that ran out unseen still holds the only open place.
	return together([...(open ? [expired(group, moment, open)] : []), made], invite);
}

/** What an invite can still become; throws where it has ended. */
export function assertOpen({ state, expiresAt }: Pick<Invite, "state" | "expiresAt">, now: string): void {
	if (state === "expired" || (state === "pending" && Date.parse(expiresAt) <= Date.parse(now))) throw problem("expired");
	if (state !== "pending") throw problem("wrong-state", { state });
}

/**
 * Accepting makes a member with the role that the invite carries. A member who was invited by id keeps their own; one who has the link of
 * an invite to an address leaves it to whom it was meant for. Who is banned finds no group.
 */
export function acceptInvite(
	state: GroupState | null,
	moment: Moment,
	invite: OpenInvite,
	{ banned, requested }: Pick<Standing, "banned" | "requested"> = { banned: false, requested: false },
): GroupDecision<null> {
	if (!state || banned) throw problem("not-found");
	const { profileId } = moment.by;
	const isMember = state.members.has(profileId);
	if (isMember && invite.inviteeId === null) throw problem("already-member");
	return together(
		[
			...(isMember ? [] : [joined(state, moment, invite.role)]),
			accepted(state, moment, invite, profileId),
			...(requested ? [withdrawn(state, profileId)] : []),
		],
		null,
	);
}

export function declineInvite(state: GroupState | null, moment: Moment, invite: OpenInvite): GroupDecision<null> {
	if (!state) throw problem("not-found");
	return together([declined(state, moment, invite)], null);
}

/** Its inviter takes it back, or who runs the group, as far as their own role goes. */
export function revokeInvite(
	state: GroupState | null,
	moment: Moment,
	invite: (OpenInvite & Pick<Invite, "state" | "expiresAt">) | undefined,
): GroupDecision<Record<string, never>> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (!invite) throw problem("not-found");
	if (invite.inviterId !== moment.by.profileId) {
		if (!atLeast(me.role, "moderator")) throw problem("forbidden");
		if (!atLeast(me.role, invite.role)) throw problem("rank");
	}
	assertOpen(invite, moment.at);
	return together([revoked(group, moment, invite)], {});
}

/** Its time is over, unless it was answered meanwhile, or is open longer by a clock that was put back. */
export function expireInvite(
	state: GroupState | null,
	moment: Moment,
	invite: (OpenInvite & { expiresAt: string }) | undefined,
): GroupDecision<Record<string, never>> {
	const over = state && invite && Date.parse(invite.expiresAt) <= Date.parse(moment.at);
	return together(over ? [expired(state, moment, invite)] : [], {});
}
