// What the groups node offers of groups, their members and invites; messages.ts has the log.
import { factTable, internal, published, signalTable } from "./contract.ts";
import { array, bool, defaulted, int, list, nullable, object, oneOf, optional, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

export const memberRole = oneOf("member", "moderator", "admin");
export type MemberRole = Infer<typeof memberRole>;
export const groupName = text(1, 100);
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
	createdAt: time,
});
export type Group = Infer<typeof group>;
export const membership = object({ groupId: uuid, profileId: uuid, role: memberRole, state: oneOf("member", "requested") });
export type Membership = Infer<typeof membership>;
export const member = object({ profileId: uuid, displayName: text(1, 60), role: memberRole, joinedAt: time });
export const invite = object({
	id: uuid,
	token: text(1, 128),
	groupId: uuid,
	groupName: optional(groupName),
	inviterId: uuid,
	inviteeId: uuid,
	role: memberRole,
	state: oneOf("pending", "accepted", "declined", "expired", "revoked"),
	expiresAt: time,
	createdAt: time,
});
export type Invite = Infer<typeof invite>;
const id = { groupId: uuid };
export const actions = {
	...published({
		"groups.create": {
			summary: "Make a group; the caller becomes its first admin.",
			params: { name: groupName, description: defaulted(description, ""), isPublic: bool },
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
			summary: "Change name, description or visibility; admins only.",
			params: { ...id, name: optional(groupName), description: optional(description), isPublic: optional(bool) },
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
			summary: "Join a public group; ask to join a private one.",
			params: id,
			answer: membership,
			owner: "groupId",
		},
		"groups.leave": {
			summary: "Leave. The last admin names a successor; the last member's leaving deletes the group.",
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
		"invites.create": {
			summary: "Invite a profile. Public groups: any member, as member; private: moderators and admins, up to their own role.",
			params: { ...id, profileId: uuid, role: defaulted(memberRole, "member"), expiresInSeconds: optional(int(1, 7_776_000)) },
			answer: invite,
			owner: "groupId",
		},
		"invites.ofGroup": {
			summary: "The group's invites, newest first.",
			params: { ...id, ...page },
			answer: list(invite),
			owner: "groupId",
			repeatable: true,
		},
		"invites.mine": {
			summary: "The caller's open invites, newest first.",
			params: { ...page },
			answer: list(invite),
			repeatable: true,
		},
		"invites.accept": {
			summary: "Accept by the invite's id: become a member with the role it carries.",
			params: { inviteId: uuid },
			answer: invite,
		},
		"invites.decline": { summary: "Decline by the invite's id.", params: { inviteId: uuid }, answer: invite },
		"invites.acceptByToken": {
			summary: "Accept by the invite's token.",
			params: { token: text(1, 128) },
			answer: invite,
		},
		"invites.declineByToken": {
			summary: "Decline by the invite's token.",
			params: { token: text(1, 128) },
			answer: invite,
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
			answer: object({ profileIds: array(uuid, { max: 1000 }) }),
			owner: "groupId",
			repeatable: true,
		},
		"invites.answer": {
			summary: "This node: accept or decline, where the group's owner is.",
			params: { ...id, inviteId: uuid, accept: bool },
			answer: invite,
			owner: "groupId",
		},
	}),
};

const who = { groupId: uuid, profileId: uuid };
export const signals = signalTable({
	"groups.written": { summary: "A process has written a group that is not its own: its owner reads it again.", payload: id },
});

export const facts = factTable({
	"groups.group.created": {
		summary: "A group was made.",
		payload: { groupId: uuid, name: groupName, isPublic: bool, creatorId: uuid },
	},
	"groups.group.updated": {
		summary: "Name, description or visibility changed.",
		payload: { groupId: uuid, name: groupName, isPublic: bool },
	},
	"groups.group.deleted": { summary: "A group and its log are gone.", payload: { groupId: uuid } },
	"groups.member.joined": { summary: "A profile became a member.", payload: { ...who, role: memberRole } },
	"groups.member.left": { summary: "A member left by their own will, or their profile was deleted.", payload: who },
	"groups.member.kicked": { summary: "A member was removed by another.", payload: { ...who, byId: uuid } },
	"groups.member.roleChanged": { summary: "A member has another role.", payload: { ...who, role: memberRole } },
	"groups.invite.created": {
		summary: "A profile was invited.",
		payload: { inviteId: uuid, groupId: uuid, groupName, inviterId: uuid, inviteeId: uuid, role: memberRole },
	},
	"groups.invite.accepted": {
		summary: "An invitee said yes and is a member.",
		payload: { inviteId: uuid, groupId: uuid, inviterId: uuid, inviteeId: uuid },
	},
	"groups.invite.declined": {
		summary: "An invitee said no.",
		payload: { inviteId: uuid, groupId: uuid, inviterId: uuid, inviteeId: uuid },
	},
});
