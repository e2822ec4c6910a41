// What the groups node offers: groups, members, invites, and the numbered log of messages.
import { health } from "./identity.ts";
import {
	action,
	actions,
	array,
	bool,
	cursor,
	defaulted,
	facts,
	int,
	list,
	nullable,
	object,
	oneOf,
	optional,
	page,
	record,
	json,
	text,
	time,
	uuid,
} from "./schema.ts";
import type { Infer } from "./schema.ts";

export const memberRole = oneOf("member", "moderator", "admin");
export type MemberRole = Infer<typeof memberRole>;
export const groupName = text(1, 100);
const description = text(0, 500);
/** A client's own id for a message: unique per group and sender, for as long as the group lives. */
export const clientId = text(1, 64);
export const content = text(1, 4000);

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
export const author = object({ profileId: uuid, displayName: text(1, 60) });

export const emoji = text(1, 32);

/** A message in its present state: edits applied; a deleted one keeps its place with `content: null`. */
export const message = object({
	seq: int(1),
	id: uuid,
	clientId,
	kind: oneOf("text"),
	content: nullable(text(0, 4000)),
	replyTo: optional(int(1)),
	mentions: optional(array(uuid, { max: 50 })),
	by: author,
	at: time,
	editedAt: optional(time),
	deletedAt: optional(time),
	reactions: array(object({ emoji: text(1, 32), count: int(1), mine: bool })),
});
export type Message = Infer<typeof message>;

/** One numbered event of a room's log; what it carries besides depends on `type` (wire.md, "The log"). */
export const logEvent = object({
	room: text(1, 80),
	seq: int(1),
	type: text(1, 40),
	at: time,
	by: nullable(author),
	message: optional(json),
	target: optional(int(1)),
	content: optional(nullable(text(0, 4000))),
	editedAt: optional(time),
	deletedAt: optional(time),
	action: optional(text(1, 40)),
	profileId: optional(uuid),
	displayName: optional(text(1, 60)),
	role: optional(memberRole),
	group: optional(record(json)),
	emoji: optional(text(1, 32)),
	added: optional(bool),
	amount: optional(int()),
	reason: optional(text(0, 100)),
	source: optional(text(0, 200)),
	total: optional(int()),
	level: optional(int(0)),
	previous: optional(int(0)),
});
export type LogEvent = Infer<typeof logEvent>;
export const openedRoom = object({ room: text(1, 80), head: int(0), events: array(logEvent), more: optional(bool) });
export type OpenedRoom = Infer<typeof openedRoom>;
/** How far logs of rooms are, in the order asked: for doors that may have missed something. */
export const headsParams = { keys: array(uuid, { min: 1, max: 500 }) };
export const heads = object({ heads: array(int(0)) });
export const openRoomParams = { key: uuid, after: optional(int(0)), limit: defaulted(int(1, 500), 500) };

const id = { groupId: uuid };
const posted = object({
	room: text(1, 80),
	seq: int(1),
	id: uuid,
	at: time,
	clientId,
	kind: oneOf("text"),
	content: text(0, 4000),
	by: author,
	replyTo: optional(int(1)),
	mentions: optional(array(uuid, { max: 50 })),
	reactions: array(json),
	replayed: bool,
});
const readState = object({ groupId: uuid, seq: int(0), unread: int(0) });

export const groupsActions = actions({
	"groups.health": action({ summary: "How this node is.", params: {}, answer: health, published: true, repeatable: true }),
	"groups.create": action({
		summary: "Make a group; the caller becomes its first admin.",
		params: { name: groupName, description: defaulted(description, ""), isPublic: bool },
		answer: group,
		published: true,
	}),
	"groups.mine": action({
		summary: "The groups the caller is a member of, newest first, with exact unread counts.",
		params: { ...page },
		answer: list(group),
		published: true,
		repeatable: true,
	}),
	"groups.public": action({
		summary: "Public groups the caller is not in, newest first.",
		params: { ...page },
		answer: list(group),
		published: true,
		repeatable: true,
	}),
	"groups.show": action({
		summary: "One group. A stranger's private group does not exist.",
		params: id,
		answer: group,
		published: true,
		owner: "groupId",
		repeatable: true,
	}),
	"groups.edit": action({
		summary: "Change name, description or visibility; admins only.",
		params: { ...id, name: optional(groupName), description: optional(description), isPublic: optional(bool) },
		answer: group,
		published: true,
		owner: "groupId",
	}),
	"groups.remove": action({
		summary: "Delete the group and its log; admins only.",
		params: id,
		answer: object({}),
		published: true,
		owner: "groupId",
	}),
	"groups.join": action({
		summary: "Join a public group; ask to join a private one.",
		params: id,
		answer: membership,
		published: true,
		owner: "groupId",
	}),
	"groups.leave": action({
		summary: "Leave. The last admin names a successor; the last member's leaving deletes the group.",
		params: { ...id, successorId: optional(uuid) },
		answer: object({}),
		published: true,
		owner: "groupId",
	}),
	"groups.members": action({
		summary: "Who is in the group, in order of joining.",
		params: { ...id, ...page },
		answer: list(member),
		published: true,
		owner: "groupId",
		repeatable: true,
	}),
	"groups.memberIds": action({
		summary: "Doors: whose presence a member of the group may follow. Large groups: the caller and the first to have joined, 1,000 in all.",
		params: id,
		answer: object({ profileIds: array(uuid, { max: 1000 }) }),
		owner: "groupId",
		repeatable: true,
	}),
	"groups.setRole": action({
		summary: "Change a member's role; admins only, never one's own.",
		params: { ...id, profileId: uuid, role: memberRole },
		answer: member,
		published: true,
		owner: "groupId",
	}),
	"groups.kick": action({
		summary: "Remove a member of lower rank; moderators and admins.",
		params: { ...id, profileId: uuid },
		answer: object({}),
		published: true,
		owner: "groupId",
	}),

	"invites.create": action({
		summary: "Invite a profile. Public groups: any member, as member; private: moderators and admins, up to their own role.",
		params: { ...id, profileId: uuid, role: defaulted(memberRole, "member"), expiresInSeconds: optional(int(1, 7_776_000)) },
		answer: invite,
		published: true,
		owner: "groupId",
	}),
	"invites.ofGroup": action({
		summary: "The group's invites, newest first.",
		params: { ...id, ...page },
		answer: list(invite),
		published: true,
		owner: "groupId",
		repeatable: true,
	}),
	"invites.mine": action({
		summary: "The caller's open invites, newest first.",
		params: { ...page },
		answer: list(invite),
		published: true,
		repeatable: true,
	}),
	"invites.accept": action({
		summary: "Accept by the invite's id: become a member with the role it carries.",
		params: { inviteId: uuid },
		answer: invite,
		published: true,
	}),
	"invites.decline": action({ summary: "Decline by the invite's id.", params: { inviteId: uuid }, answer: invite, published: true }),
	"invites.acceptByToken": action({
		summary: "Accept by the invite's token.",
		params: { token: text(1, 128) },
		answer: invite,
		published: true,
	}),
	"invites.declineByToken": action({
		summary: "Decline by the invite's token.",
		params: { token: text(1, 128) },
		answer: invite,
		published: true,
	}),
	"invites.answer": action({
		summary: "This node: accept or decline, where the group's owner is.",
		params: { ...id, inviteId: uuid, accept: bool },
		answer: invite,
		owner: "groupId",
	}),

	"messages.post": action({
		summary: "Append a message. The same clientId again by the same sender returns the first result.",
		params: {
			...id,
			clientId,
			kind: defaulted(oneOf("text"), "text"),
			content,
			replyTo: optional(int(1)),
			mentions: optional(array(uuid, { max: 50 })),
		},
		answer: posted,
		published: true,
		owner: "groupId",
		repeatable: true,
	}),
	"messages.page": action({
		summary:
			"Messages in their present state, ascending. `before`, `after`, `around` are seqs; without them the newest page. `nextCursor` goes on in the same direction.",
		params: {
			...id,
			before: optional(int(1)),
			after: optional(int(0)),
			around: optional(int(1)),
			cursor: optional(cursor),
			limit: defaulted(int(1, 100), 20),
		},
		answer: list(message),
		published: true,
		owner: "groupId",
		repeatable: true,
	}),
	"messages.show": action({
		summary: "One message in its present state.",
		params: { ...id, seq: int(1) },
		answer: message,
		published: true,
		owner: "groupId",
		repeatable: true,
	}),
	"messages.edit": action({
		summary: "Change a message's text; its sender only. The edit is a numbered event of its own.",
		params: { ...id, seq: int(1), content },
		answer: object({ ...message.props, eventSeq: int(1) }),
		published: true,
		owner: "groupId",
	}),
	"messages.remove": action({
		summary: "Delete a message; its sender, moderators and admins. A tombstone keeps its place.",
		params: { ...id, seq: int(1) },
		answer: object({ room: text(1, 80), seq: int(1) }),
		published: true,
		owner: "groupId",
	}),
	"messages.react": action({
		summary: "Add or take back the caller's reaction to a message; a numbered event when it changes something.",
		params: { ...id, seq: int(1), emoji, remove: defaulted(bool, false) },
		answer: object({ room: text(1, 80), seq: int(1) }),
		published: true,
		owner: "groupId",
	}),
	"messages.events": action({
		summary: "The log itself, gapless, ascending.",
		params: { ...id, after: defaulted(int(0), 0), limit: defaulted(int(1, 500), 100) },
		answer: object({ data: array(logEvent), head: int(0) }),
		published: true,
		owner: "groupId",
		repeatable: true,
	}),
	"messages.read": action({
		summary: "Move the caller's read mark forward; it never goes back.",
		params: { ...id, seq: int(0) },
		answer: readState,
		published: true,
		owner: "groupId",
		repeatable: true,
	}),
	"messages.openRoom": action({
		summary: "Doors: may the caller read this group's room, and what has happened in it since.",
		params: openRoomParams,
		answer: openedRoom,
		owner: "key",
		repeatable: true,
	}),
	"messages.heads": action({
		summary: "Doors: how far these groups' logs are, 0 where there is none.",
		params: headsParams,
		answer: heads,
		repeatable: true,
	}),
});

const who = { groupId: uuid, profileId: uuid };
export const groupsFacts = facts({
	"groups.group.created": {
		version: 1,
		summary: "A group was made.",
		payload: { groupId: uuid, name: groupName, isPublic: bool, creatorId: uuid },
	},
	"groups.group.updated": {
		version: 1,
		summary: "Name, description or visibility changed.",
		payload: { groupId: uuid, name: groupName, isPublic: bool },
	},
	"groups.group.deleted": { version: 1, summary: "A group and its log are gone.", payload: { groupId: uuid } },
	"groups.member.joined": { version: 1, summary: "A profile became a member.", payload: { ...who, role: memberRole } },
	"groups.member.left": { version: 1, summary: "A member left by their own will.", payload: who },
	"groups.member.kicked": { version: 1, summary: "A member was removed by another.", payload: { ...who, byId: uuid } },
	"groups.member.roleChanged": { version: 1, summary: "A member has another role.", payload: { ...who, role: memberRole } },
	"groups.invite.created": {
		version: 1,
		summary: "A profile was invited.",
		payload: { inviteId: uuid, groupId: uuid, groupName, inviterId: uuid, inviteeId: uuid, role: memberRole },
	},
	"groups.invite.accepted": {
		version: 1,
		summary: "An invitee said yes and is a member.",
		payload: { inviteId: uuid, groupId: uuid, inviterId: uuid, inviteeId: uuid },
	},
	"groups.invite.declined": {
		version: 1,
		summary: "An invitee said no.",
		payload: { inviteId: uuid, groupId: uuid, inviterId: uuid, inviteeId: uuid },
	},
	"groups.message.posted": {
		version: 1,
		summary: "A message is in the log.",
		payload: {
			groupId: uuid,
			seq: int(1),
			messageId: uuid,
			senderId: uuid,
			kind: text(1, 16),
			content: text(0, 4000),
			replyTo: optional(int(1)),
			mentions: optional(array(uuid)),
		},
	},
	"groups.message.edited": {
		version: 1,
		summary: "A message has another text.",
		payload: { groupId: uuid, seq: int(1), target: int(1), senderId: uuid, content: text(0, 4000) },
	},
	"groups.message.deleted": {
		version: 1,
		summary: "A message is a tombstone.",
		payload: { groupId: uuid, seq: int(1), target: int(1), senderId: uuid, byId: uuid },
	},
});
