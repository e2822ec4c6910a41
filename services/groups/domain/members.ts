// Who belongs to a group, and as what: joining, leaving, removing, giving a role.
import { problem } from "../../contracts/errors.ts";
import type { Membership, MemberRole } from "../../contracts/groups.ts";
import { nothing, together } from "./decision.ts";
import type { GroupDecision, GroupFact, Moment, OpenInvite } from "./decision.ts";
import { asMember, atLeast, outranks } from "./group.ts";
import type { Caller, GroupEvent, GroupState } from "./group.ts";
import type { Part } from "./ended.ts";
import { accepted, revoked, withdrawn } from "./ended.ts";
import { gone } from "./life.ts";

/** So many of those who may answer a request are told of it. */
const MOST_TOLD = 50;

/** What is kept of a profile in a group besides its membership. */
export interface Standing {
	banned: boolean;
	/** It asks to join. */
	requested: boolean;
	/** It is invited by its id. */
	invite: OpenInvite | undefined;
}
export const STRANGER: Standing = { banned: false, requested: false, invite: undefined };

/** Becoming a member, whatever led to it: by one's own doing, or let in by `moment.by`. */
export function joined(group: GroupState, moment: Moment, role: MemberRole, who: Caller = moment.by): Part {
	const { profileId, displayName } = who;
	return {
		events: [{ ...moment, type: "member", action: "joined", profileId, displayName, role }],
		facts: () => [{ type: "groups.member.joined", aggregate: group.id, payload: { groupId: group.id, profileId, role } }],
		effects: [],
	};
}

/**
 * A public group is joined; a private one is asked: whoever knows its id has the link. Who is invited accepts by it. Twice is once. For
 * who is banned there is no group.
 */
export function join(state: GroupState | null, moment: Moment, standing: Standing = STRANGER): GroupDecision<Membership> {
	if (!state) throw problem("not-found");
	const { profileId, displayName } = moment.by;
	const groupId = state.id;
	const mine = state.members.get(profileId);
	if (mine) return nothing({ groupId, profileId, role: mine.role, state: "member" });
	if (standing.banned || state.kind === "direct") throw problem("not-found");
	const { invite } = standing;
	if (state.isPublic || invite) {
		const role = invite?.role ?? "member";
		const ends = [
			...(invite ? [accepted(state, moment, invite, profileId)] : []),
			...(standing.requested ? [withdrawn(state, profileId)] : []),
		];
		return together([joined(state, moment, role), ...ends], { groupId, profileId, role, state: "member" });
	}
	const answer: Membership = { groupId, profileId, role: "member", state: "requested" };
	if (standing.requested) return nothing(answer);
	const moderators = state.members.staff().slice(0, MOST_TOLD);
	return {
		events: [],
		facts: () => [
			{
				type: "groups.request.created",
				aggregate: groupId,
				payload: { groupId, groupName: state.name, profileId, displayName, moderators: moderators.map(([id]) => id) },
			},
		],
		effects: [{ kind: "requestJoin", profileId, displayName, at: moment.at }],
		answer: () => answer,
	};
}

/** Who asks to join takes that back by it. The last admin names a successor; the last member's leaving ends the group. */
export function leave(
	state: GroupState | null,
	moment: Moment,
	successorId: string | undefined,
	{ requested }: Pick<Standing, "requested"> = STRANGER,
): GroupDecision<Record<string, never>> {
	const { profileId, displayName } = moment.by;
	if (state && requested && !state.members.has(profileId)) return together([withdrawn(state, profileId)], {});
	const { group, me } = asMember(state, profileId);
	if (group.kind === "direct") throw problem("forbidden", { detail: "A direct talk is not left: mute it, or block the other." });
	if (group.members.size === 1) return gone(group, moment);
	const events: GroupEvent[] = [];
	const facts: GroupFact[] = [];
	if (me.role === "admin" && group.members.admins() === 1) {
		if (successorId === undefined) throw problem("last-admin");
		const successor = group.members.get(successorId);
		if (!successor || successorId === profileId)
			throw problem("validation", {
				errors: [{ path: "successorId", code: "not-member", message: "The successor must be another member of the group." }],
			});
		events.push({
			type: "member",
			action: "roleChanged",
			profileId: successorId,
			displayName: successor.displayName,
			role: "admin",
			...moment,
		});
		facts.push({
			type: "groups.member.roleChanged",
			aggregate: group.id,
			payload: { groupId: group.id, profileId: successorId, role: "admin" },
		});
	}
	events.push({ type: "member", action: "left", profileId, displayName, ...moment });
	facts.push({ type: "groups.member.left", aggregate: group.id, payload: { groupId: group.id, profileId } });
	return { events, facts: () => facts, effects: [], answer: () => ({}) };
}

/** The one acted on: a member of lower rank. */
export function below(state: GroupState | null, moment: Moment, profileId: string, least: MemberRole) {
	const { group, me } = asMember(state, moment.by.profileId);
	if (!atLeast(me.role, least)) throw problem("forbidden");
	const other = group.members.get(profileId);
	if (!other) throw problem("not-found");
	if (profileId === moment.by.profileId || !outranks(me.role, other.role)) throw problem("rank");
	return { group, other };
}

/**
 * Removed, and the invites they made with them; they may be invited again.
 * @param invites open ones that they made
 */
export function kick(
	state: GroupState | null,
	moment: Moment,
	profileId: string,
	invites: readonly OpenInvite[] = [],
): GroupDecision<Record<string, never>> {
	const { group, other } = below(state, moment, profileId, "moderator");
	const facts: GroupFact[] = [
		{ type: "groups.member.kicked", aggregate: group.id, payload: { groupId: group.id, profileId, byId: moment.by.profileId } },
	];
	const events: GroupEvent[] = [{ ...moment, type: "member", action: "kicked", profileId, displayName: other.displayName }];
	return together([{ events, facts: () => facts, effects: [] }, ...invites.map((one) => revoked(group, moment, one))], {});
}

export function setRole(
	state: GroupState | null,
	moment: Moment,
	profileId: string,
	role: MemberRole,
): GroupDecision<{ profileId: string; displayName: string; role: MemberRole; joinedAt: string }> {
	const { group, other } = below(state, moment, profileId, "admin");
	const answer = { profileId, displayName: other.displayName, role, joinedAt: other.joinedAt };
	if (other.role === role) return nothing(answer);
	return {
		events: [{ type: "member", action: "roleChanged", profileId, displayName: other.displayName, role, ...moment }],
		facts: () => [{ type: "groups.member.roleChanged", aggregate: group.id, payload: { groupId: group.id, profileId, role } }],
		effects: [],
		answer: () => answer,
	};
}
