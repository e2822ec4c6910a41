// Who belongs to a group, and as what: joining, leaving, removing, giving a role.
import { problem } from "../../contracts/errors.ts";
import type { Membership, MemberRole } from "../../contracts/groups.ts";
import { nothing } from "./decision.ts";
import type { GroupDecision, GroupFact, Moment } from "./decision.ts";
import { asMember, atLeast, outranks } from "./group.ts";
import type { GroupEvent, GroupState } from "./group.ts";
import { gone } from "./life.ts";

/** Becoming a member, whatever led to it. */
export function joined(group: GroupState, moment: Moment, role: MemberRole): Pick<GroupDecision, "events" | "facts"> {
	const { profileId, displayName } = moment.by;
	return {
		events: [{ type: "member", action: "joined", profileId, displayName, role, ...moment }],
		facts: () => [{ type: "groups.member.joined", aggregate: group.id, payload: { groupId: group.id, profileId, role } }],
	};
}

/** A public group is joined; a private one is asked: whoever knows its id has the link. Twice is once. */
export function join(state: GroupState | null, moment: Moment): GroupDecision<Membership> {
	if (!state) throw problem("not-found");
	const { profileId, displayName } = moment.by;
	const mine = state.members.get(profileId);
	if (mine) return nothing({ groupId: state.id, profileId, role: mine.role, state: "member" });
	if (!state.isPublic) {
		return {
			...nothing<Membership>({ groupId: state.id, profileId, role: "member", state: "requested" }),
			effects: [{ kind: "requestJoin", profileId, displayName, at: moment.at }],
		};
	}
	return {
		...joined(state, moment, "member"),
		effects: [],
		answer: () => ({ groupId: state.id, profileId, role: "member", state: "member" }),
	};
}

/** The last admin names a successor; the last member's leaving ends the group. */
export function leave(state: GroupState | null, moment: Moment, successorId: string | undefined): GroupDecision<Record<string, never>> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (group.members.size === 1) return gone(group, moment);
	const { profileId, displayName } = moment.by;
	const otherAdmin = [...group.members].some(([id, member]) => id !== profileId && member.role === "admin");
	const events: GroupEvent[] = [];
	const facts: GroupFact[] = [];
	if (me.role === "admin" && !otherAdmin) {
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
function below(state: GroupState | null, moment: Moment, profileId: string, least: MemberRole) {
	const { group, me } = asMember(state, moment.by.profileId);
	if (!atLeast(me.role, least)) throw problem("forbidden");
	const other = group.members.get(profileId);
	if (!other) throw problem("not-found");
	if (profileId === moment.by.profileId || !outranks(me.role, other.role)) throw problem("rank");
	return { group, other };
}

export function kick(state: GroupState | null, moment: Moment, profileId: string): GroupDecision<Record<string, never>> {
	const { group, other } = below(state, moment, profileId, "moderator");
	return {
		events: [{ type: "member", action: "kicked", profileId, displayName: other.displayName, ...moment }],
		facts: () => [
			{ type: "groups.member.kicked", aggregate: group.id, payload: { groupId: group.id, profileId, byId: moment.by.profileId } },
		],
		effects: [],
		answer: () => ({}),
	};
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
