// What the groups node offers of groups and their members; invites.ts has who is asked to come, membership.ts who asks to, who may not,
// and direct talks; messages.ts has the log.
import { factTable, internal, published, signalTable } from "./contract.ts";
import { array, bool, defaulted, int, list, nullable, object, oneOf, optional, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";
import { picture } from "./uploads.ts";

export const memberRole = oneOf("member", "moderator", "admin");
export type MemberRole = Infer<typeof memberRole>;
/**
 * Something of it can be seen, and nothing in it turns the direction of what stands around it: no bidirectional embeddings, overrides or
 * isolates, no control characters, and more than format characters, joiners, marks and spaces.
 */
export const groupName = text(1, 100, {
	pattern: /^(?=.*[^\s\p{C}\p{M}\p{Z}\u115F\u1160\u3164\uFFA0\u2800])[^\p{Cc}\u202A-\u202E\u2066-\u2069]*$/su,
	format: "name",
});
const description = text(0, 500);

export const group = object({
	id: uuid,
	name: groupName,
	description,
	isPublic: bool,
	role: nullable(memberRole),
	memberCount: int(0),
	head: int(0),
	unread: int(0),
	/** A direct talk of two people has the other one as its peer, and is called as they are; null once their profile is gone. */
	kind: oneOf("group", "direct"),
	peer: nullable(object({ profileId: uuid, displayName: text(1, 60), avatar: optional(picture) })),
	avatar: nullable(picture),
	/** Until when the caller wants no notifications from it; the end of the year 9999 where no end was said. */
	mutedUntil: nullable(time),
	createdAt: time,
});
export type Group = Infer<typeof group>;
export const membership = object({ groupId: uuid, profileId: uuid, role: memberRole, state: oneOf("member", "requested") });
export type Membership = Infer<typeof membership>;
export const member = object({
	profileId: uuid,
	displayName: text(1, 60),
	/** In lists. */
	avatar: optional(picture),
	role: memberRole,
	joinedAt: time,
});
const id = { groupId: uuid };
export const actions = {
	...published({
		"groups.create": {
			summary: "Make a group; the caller becomes its first admin.",
			params: { name: groupName, description: defaulted(description, ""), isPublic: bool, avatar: optional(nullable(uuid)) },
			answer: group,
		},
		"groups.mine": {
			summary: "The groups the caller is a member of, newest first, with exact unread counts.",
			params: { ...page },
			answer: list(group),
			repeatable: true,
		},
		"groups.public": {
			summary: "Public groups the caller is not in, newest first.",
			params: { ...page },
			answer: list(group),
			repeatable: true,
		},
		"groups.show": {
			summary: "One group. A stranger's private group does not exist.",
			params: id,
			answer: group,
			owner: "groupId",
			repeatable: true,
		},
		"groups.edit": {
			summary: "Change name, description, visibility or avatar (an upload's id; null takes it away); admins only.",
			params: {
				...id,
				name: optional(groupName),
				description: optional(description),
				isPublic: optional(bool),
				avatar: optional(nullable(uuid)),
			},
			answer: group,
			owner: "groupId",
		},
		"groups.remove": {
			summary: "Delete the group and its log; admins only.",
			params: id,
			answer: object({}),
			owner: "groupId",
		},
		"groups.join": {
			summary: "Join a public group; ask to join a private one. Who is invited accepts by it. Who is banned finds no group.",
			params: id,
			answer: membership,
			owner: "groupId",
		},
		"groups.leave": {
			summary: "Leave, or take back one's request to join. The last admin names a successor; the last member's leaving deletes the group.",
			params: { ...id, successorId: optional(uuid) },
			answer: object({}),
			owner: "groupId",
		},
		"groups.members": {
			summary: "Who is in the group, in order of joining.",
			params: { ...id, ...page },
			answer: list(member),
			owner: "groupId",
			repeatable: true,
		},
		"groups.setRole": {
			summary: "Change a member's role; admins only, never one's own.",
			params: { ...id, profileId: uuid, role: memberRole },
			answer: member,
			owner: "groupId",
		},
		"groups.kick": {
			summary: "Remove a member of lower rank; moderators and admins.",
			params: { ...id, profileId: uuid },
			answer: object({}),
			owner: "groupId",
		},
		"groups.mute": {
			summary: "Have no notifications from the group until then, or for good.",
			params: { ...id, until: optional(nullable(time)) },
			answer: object({ groupId: uuid, mutedUntil: nullable(time) }),
			owner: "groupId",
			repeatable: true,
		},
		"groups.unmute": {
			summary: "Have notifications from the group again.",
			params: id,
			answer: object({ groupId: uuid, mutedUntil: nullable(time) }),
			owner: "groupId",
			repeatable: true,
		},
	}),
	...internal({
		"groups.rolesIn": {
			summary: "Other nodes: the caller's role in each of these groups, in the order asked; null where they are no member.",
			params: { groupIds: array(uuid, { max: 100 }) },
			answer: object({ roles: array(nullable(memberRole)) }),
			repeatable: true,
		},
		"groups.part": {
			summary:
				"This node: a profile is gone for good, and its membership ends. The last admin is followed by who ranks highest, and of those by who joined first.",
			params: { ...id, profileId: uuid },
			answer: object({}),
			owner: "groupId",
			repeatable: true,
		},
		"groups.memberIds": {
			summary:
				"Doors: whose presence a member of the group may follow. Large groups: the caller and the first to have joined, 1,000 in all.",
			params: id,
			answer: object({ profileIds: array(uuid, { max: 1000 }), memberCount: int(1) }),
			owner: "groupId",
			repeatable: true,
		},
		"groups.membersAmong": {
			summary: "Presence: which of these profiles are members of a group that the caller is a member of.",
			params: { ...id, profileIds: array(uuid, { max: 500 }) },
			answer: object({ profileIds: array(uuid, { max: 500 }) }),
			repeatable: true,
		},
		"groups.reload": {
			summary: "This node: something of the group was written beside its log; its owner reads it again.",
			params: id,
			answer: object({}),
			owner: "groupId",
			repeatable: true,
		},
	}),
};

const who = { groupId: uuid, profileId: uuid };
/** In facts: a name that was good once is told as it is. */
const factName = text(1, 100);
export const signals = signalTable({
	"groups.written": { summary: "A process has written a group that is not its own: its owner reads it again.", payload: id },
});

export const facts = factTable({
	"groups.group.created": {
		summary: "A group was made.",
		payload: { groupId: uuid, name: factName, isPublic: bool, creatorId: uuid, avatar: nullable(uuid) },
	},
	"groups.group.updated": {
		summary: "Name, description, visibility or avatar changed.",
		payload: { groupId: uuid, name: factName, isPublic: bool, avatar: nullable(uuid) },
	},
	"groups.group.deleted": { summary: "A group and its log are gone.", payload: { groupId: uuid } },
	"groups.member.joined": { summary: "A profile became a member.", payload: { ...who, role: memberRole } },
	"groups.member.left": { summary: "A member left by their own will, or their profile was deleted.", payload: who },
	"groups.member.kicked": { summary: "A member was removed by another.", payload: { ...who, byId: uuid } },
	"groups.member.roleChanged": { summary: "A member has another role.", payload: { ...who, role: memberRole } },
	"groups.member.muted": {
		summary: "A member wants no notifications from the group until then; null: for good.",
		payload: { ...who, until: nullable(time) },
	},
	"groups.member.unmuted": { summary: "A member wants notifications from the group again.", payload: who },
});
