// A group is made, changed, ended.
import { problem } from "../../contracts/errors.ts";
import { nothing } from "./decision.ts";
import type { GroupDecision, Moment } from "./decision.ts";
import { asMember } from "./group.ts";
import type { GroupState } from "./group.ts";

export function create(
	state: GroupState | null,
	groupId: string,
	moment: Moment,
	group: { name: string; description: string; isPublic: boolean },
): GroupDecision<{ groupId: string }> {
	if (state) throw problem("conflict");
	return {
		events: [{ type: "group", action: "created", group, ...moment }],
		facts: () => [
			{
				type: "groups.group.created",
				aggregate: groupId,
				payload: { groupId, name: group.name, isPublic: group.isPublic, creatorId: moment.by.profileId },
			},
			{ type: "groups.member.joined", aggregate: groupId, payload: { groupId, profileId: moment.by.profileId, role: "admin" } },
		],
		effects: [],
		answer: () => ({ groupId }),
	};
}

export function edit(
	state: GroupState | null,
	moment: Moment,
	change: { name?: string | undefined; description?: string | undefined; isPublic?: boolean | undefined },
): GroupDecision<null> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (me.role !== "admin") throw problem("forbidden");
	const next = {
		name: change.name ?? group.name,
		description: change.description ?? group.description,
		isPublic: change.isPublic ?? group.isPublic,
	};
	if (next.name === group.name && next.description === group.description && next.isPublic === group.isPublic) return nothing(null);
	return {
		events: [{ type: "group", action: "updated", group: next, ...moment }],
		facts: () => [
			{ type: "groups.group.updated", aggregate: group.id, payload: { groupId: group.id, name: next.name, isPublic: next.isPublic } },
		],
		effects: [],
		answer: () => null,
	};
}

export function remove(state: GroupState | null, moment: Moment): GroupDecision<Record<string, never>> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (me.role !== "admin") throw problem("forbidden");
	return gone(group, moment);
}

/** Whoever may end it: an admin, or its last member by leaving. */
export function gone(group: GroupState, moment: Moment): GroupDecision<Record<string, never>> {
	const { name, description, isPublic } = group;
	return {
		events: [{ type: "group", action: "deleted", group: { name, description, isPublic }, ...moment }],
		facts: () => [{ type: "groups.group.deleted", aggregate: group.id, payload: { groupId: group.id } }],
		effects: [],
		answer: () => ({}),
	};
}
