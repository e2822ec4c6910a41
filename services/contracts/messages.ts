// What the groups node offers of a group's numbered log: messages in their present state, edits, reactions, read marks.
import { factTable, internal, published } from "./contract.ts";
import { author, logEvent, roomActions } from "./rooms.ts";
import { array, bool, cursor, defaulted, int, list, nullable, object, oneOf, optional, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";
import { picture, upload } from "./uploads.ts";

/** A client's own id for a message: unique per group and sender, for as long as the group lives. */
export const clientId = text(1, 64);
/** In code points, kept as it is. Only a message with pictures may be without any. */
export const content = text(0, 4000);
export const emoji = text(1, 32);
/** `borrow` is for lending, and refused as long as there is none. */
const kind = oneOf("text", "borrow");
const mentions = array(uuid, { max: 50 });
const reactions = array(object({ emoji: text(1, 32), count: int(1), mine: bool }));

/** A message in its present state: edits applied; a deleted one keeps its place with `content: null`, and nothing else of what it said. */
export const message = object({
	seq: int(1),
	id: uuid,
	clientId,
	kind,
	content: nullable(content),
	replyTo: optional(int(1)),
	mentions: optional(mentions),
	attachments: optional(array(upload, { max: 10 })),
	/** With their avatar where the message is read; what is told at once has none. */
	by: object({ ...author.props, avatar: optional(picture) }),
	at: time,
	editedAt: optional(time),
	deletedAt: optional(time),
	reactions,
});
export type Message = Infer<typeof message>;

const id = { groupId: uuid };
const posted = object({ ...message.props, room: text(1, 80), content, replayed: bool });
const readState = object({ groupId: uuid, seq: int(0), unread: int(0) });

export const actions = {
	...published({
		"messages.post": {
			summary: "Append a message. The same clientId again by the same sender returns the first result.",
			params: {
				...id,
				clientId,
				kind: defaulted(kind, "text"),
				content: defaulted(content, ""),
				replyTo: optional(int(1)),
				mentions: optional(mentions),
				attachments: optional(array(uuid, { max: 10 })),
				itemId: optional(uuid),
			},
			answer: posted,
			owner: "groupId",
			repeatable: true,
		},
		"messages.page": {
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
			owner: "groupId",
			repeatable: true,
		},
		"messages.show": {
			summary: "One message in its present state.",
			params: { ...id, seq: int(1) },
			answer: message,
			owner: "groupId",
			repeatable: true,
		},
		"messages.edit": {
			summary: "Change a message's text; its sender only. The edit is a numbered event of its own.",
			params: { ...id, seq: int(1), content },
			answer: object({ ...message.props, eventSeq: int(1) }),
			owner: "groupId",
		},
		"messages.remove": {
			summary: "Delete a message; its sender, and moderators and admins who outrank them. A tombstone keeps its place.",
			params: { ...id, seq: int(1) },
			answer: object({ room: text(1, 80), seq: int(1) }),
			owner: "groupId",
		},
		"messages.react": {
			summary: "Add or take back the caller's reaction to a message; a numbered event when it changes something.",
			params: { ...id, seq: int(1), emoji, remove: defaulted(bool, false) },
			answer: object({ room: text(1, 80), seq: int(1), reactions }),
			owner: "groupId",
		},
		"messages.events": {
			summary: "The log itself, gapless, ascending.",
			params: { ...id, after: defaulted(int(0), 0), limit: defaulted(int(1, 500), 100) },
			answer: object({ data: array(logEvent), head: int(0) }),
			owner: "groupId",
			repeatable: true,
		},
		"messages.read": {
			summary: "Move the caller's read mark forward; it never goes back.",
			params: { ...id, seq: int(0) },
			answer: readState,
			owner: "groupId",
			repeatable: true,
		},
	}),
	...internal({
		"messages.openRoom": { ...roomActions.openRoom, owner: "key" },
		"messages.heads": roomActions.heads,
		"messages.readMarks": {
			summary: "Other nodes: how far a profile has read in each of these groups, in the order asked; null where it is no member.",
			params: { profileId: uuid, groupIds: array(uuid, { min: 1, max: 100 }) },
			answer: object({ marks: array(nullable(int(0))) }),
			repeatable: true,
		},
	}),
};

/** Uploads that the message shows from now on: none once it is deleted. */
const uses = { attachments: optional(array(uuid, { max: 10 })) };
export const facts = factTable({
	"groups.message.posted": {
		summary:
			"A message is in the log. `mentions` are those who may hear of it; `repliedToId` wrote what it replies to, and is still a member.",
		payload: {
			groupId: uuid,
			groupName: optional(text(1, 100)),
			seq: int(1),
			messageId: uuid,
			senderId: uuid,
			/** What the sender is called. */
			displayName: optional(text(0, 60)),
			kind: text(1, 16),
			content: text(0, 4000),
			excerpt: optional(text(0, 140)),
			replyTo: optional(int(1)),
			repliedToId: optional(uuid),
			mentions: optional(array(uuid)),
			...uses,
		},
	},
	"groups.message.edited": {
		summary: "A message has another text.",
		payload: { groupId: uuid, seq: int(1), target: int(1), senderId: uuid, content: text(0, 4000), ...uses },
	},
	"groups.message.deleted": {
		summary: "A message is a tombstone.",
		payload: { groupId: uuid, seq: int(1), target: int(1), senderId: uuid, byId: uuid, ...uses },
	},
});
