// A group is made, changed, ended.
import { problem } from "../../contracts/errors.ts";
import { nothing } from "./decision.ts";
import type { GroupDecision, Moment } from "./decision.ts";
import { asMember } from "./group.ts";
import type { GroupBody, GroupState } from "./group.ts";

const MOST_NAME = 100;

/** A name is kept composed (NFC), so that what looks the same is the same. Composing makes a few letters longer. */
function acceptName(name: string): string {
	const composed = name.normalize("NFC");
	if ([...composed].length <= MOST_NAME) return composed;
	throw problem("validation", { errors: [{ path: "name", code: "max", message: `At most ${MOST_NAME} characters.` }] });
}

/** What the log says of a group: of an avatar only where there is one. */
const bodyOf = ({ name, description, isPublic, avatar }: Pick<GroupBody, "name" | "description" | "isPublic" | "avatar">): GroupBody => ({
	...{ name, description, isPublic },
	...(avatar ? { avatar } : {}),
});

export function create(
	state: GroupState | null,
	groupId: string,
	moment: Moment,
	{ name, description, isPublic, avatar = null }: GroupBody,
): GroupDecision<{ groupId: string }> {
	if (state) throw problem("conflict");
	return {
		events: [{ type: "group", action: "created", group: bodyOf({ name: acceptName(name), description, isPublic, avatar }), ...moment }],
		facts: () => [
			{
				type: "groups.group.created",
				aggregate: groupId,
				payload: { groupId, name: acceptName(name), isPublic, creatorId: moment.by.profileId, avatar },
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
	change: {
		name?: string | undefined;
		description?: string | undefined;
		isPublic?: boolean | undefined;
		avatar?: string | null | undefined;
	},
): GroupDecision<null> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (me.role !== "admin") throw problem("forbidden");
	const next = {
		name: change.name === undefined ? group.name : acceptName(change.name),
		description: change.description ?? group.description,
		isPublic: change.isPublic ?? group.isPublic,
		avatar: change.avatar === undefined ? group.avatar : change.avatar,
	};
	if (JSON.stringify(bodyOf(next)) === JSON.stringify(bodyOf(group))) return nothing(null);
	return {
		events: [{ type: "group", action: "updated", group: bodyOf(next), ...moment }],
		facts: () => [
			{
				type: "groups.group.updated",
				aggregate: group.id,
				payload: { groupId: group.id, name: next.name, isPublic: next.isPublic, avatar: next.avatar },
			},
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
	return {
		events: [{ type: "group", action: "deleted", group: bodyOf(group), ...moment }],
		facts: () => [{ type: "groups.group.deleted", aggregate: group.id, payload: { groupId: group.id } }],
		effects: [],
		answer: () => ({}),
	};
}
