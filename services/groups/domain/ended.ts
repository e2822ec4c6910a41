// How an invite or a request ends, whatever ended it. Pure.
import type { Invite } from "../../contracts/invites.ts";
import type { GroupDecision, Moment, OpenInvite } from "./decision.ts";
import type { GroupState } from "./group.ts";

/** What a decision is made of (`together`). */
export type Part = Pick<GroupDecision, "events" | "facts" | "effects">;

const of = (groupId: string, { id, inviterId, inviteeId }: OpenInvite) => ({ inviteId: id, groupId, inviterId, inviteeId });
const end = (
	{ id }: OpenInvite,
	{ at }: Moment,
	state: Exclude<Invite["state"], "pending">,
	inviteeId?: string,
): GroupDecision["effects"] => [{ kind: "endInvite", inviteId: id, state, at, ...(inviteeId !== undefined && { inviteeId }) }];

/** Who became a member, `inviteeId`, was invited. */
export const accepted = ({ id }: Pick<GroupState, "id">, moment: Moment, invite: OpenInvite, inviteeId: string): Part => ({
	events: [],
	facts: () => [{ type: "groups.invite.accepted", aggregate: id, payload: { ...of(id, invite), inviteeId } }],
	effects: end(invite, moment, "accepted", inviteeId),
});

export const declined = ({ id }: Pick<GroupState, "id">, moment: Moment, invite: OpenInvite): Part => ({
	events: [],
	facts: () => [{ type: "groups.invite.declined", aggregate: id, payload: of(id, invite) }],
	effects: end(invite, moment, "declined"),
});

export const revoked = ({ id }: Pick<GroupState, "id">, moment: Moment, invite: OpenInvite): Part => ({
	events: [],
	facts: () => [{ type: "groups.invite.revoked", aggregate: id, payload: { ...of(id, invite), byId: moment.by.profileId } }],
	effects: end(invite, moment, "revoked"),
});

export const expired = ({ id }: Pick<GroupState, "id">, moment: Moment, invite: OpenInvite): Part => ({
	events: [],
	facts: () => [{ type: "groups.invite.expired", aggregate: id, payload: of(id, invite) }],
	effects: end(invite, moment, "expired"),
});

/** Who asked to join is a member by another way, or wants it no longer. */
export const withdrawn = ({ id: groupId }: Pick<GroupState, "id">, profileId: string): Part => ({
	events: [],
	facts: () => [{ type: "groups.request.withdrawn", aggregate: groupId, payload: { groupId, profileId } }],
	effects: [{ kind: "endRequest", profileId }],
});
