// What the groups node offers of moderation: messages that somebody reports, the queue of those who look at them, and their deeds.
import { factTable, published } from "./contract.ts";
import { message } from "./messages.ts";
import { array, defaulted, int, list, nullable, object, oneOf, optional, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

export const flagState = oneOf("open", "resolved", "dismissed");
export type FlagState = Infer<typeof flagState>;
const reason = text(1, 500);
const note = text(1, 500);

const raised = object({ id: uuid, groupId: uuid, seq: int(1), reason, state: flagState, createdAt: time });
/** A report as a group's moderators see it: about which message, and not by whom. */
export const flag = object({
	...raised.props,
	/** In its present state. */
	message: nullable(message),
	settledBy: nullable(uuid),
	settledAt: nullable(time),
	note: nullable(note),
});
export type Flag = Infer<typeof flag>;
/** The same as moderators of the platform see it. */
const flagForAll = object({ ...flag.props, groupName: text(1, 100), reporterId: uuid });

const id = { groupId: uuid };
const queue = { state: defaulted(flagState, "open"), ...page };
const settle = { state: oneOf("resolved", "dismissed"), note: optional(note) };

export const actions = {
	...published({
		"flags.raise": {
			summary: "Report a message of a group one is in to its moderators; once per person and message, never one's own.",
			params: { ...id, seq: int(1), reason },
			answer: raised,
			owner: "groupId",
			errors: ["already-flagged", "deleted"],
		},
		"flags.ofGroup": {
			summary: "A group's reports, newest first; moderators and admins.",
			params: { ...id, ...queue },
			answer: list(flag),
			owner: "groupId",
			repeatable: true,
		},
		"flags.settle": {
			summary: "Resolve or dismiss a report; moderators and admins, of a message that is not their own.",
			params: { ...id, flagId: uuid, ...settle },
			answer: flag,
			owner: "groupId",
			errors: ["wrong-state"],
		},
		"flags.all": {
			summary: "Moderators of the platform: the reports of all groups, newest first, and who has made them.",
			params: { groupId: optional(uuid), ...queue },
			answer: list(flagForAll),
			repeatable: true,
		},
		"flags.settleAny": {
			summary: "Moderators of the platform: resolve or dismiss a report of any group.",
			params: { flagId: uuid, ...settle },
			answer: flagForAll,
			errors: ["wrong-state"],
		},
		"flags.removeMessage": {
			summary: "Moderators of the platform: delete a message of any group. A tombstone keeps its place.",
			params: { ...id, seq: int(1) },
			answer: object({ room: text(1, 80), seq: int(1) }),
			owner: "groupId",
		},
	}),
};

export const facts = factTable({
	"groups.message.flagged": {
		summary: "A member has reported a message. `moderators` are those of the group, at most 50.",
		payload: {
			...id,
			groupName: text(1, 100),
			seq: int(1),
			flagId: uuid,
			senderId: uuid,
			moderators: array(uuid, { max: 50 }),
		},
	},
	"groups.moderation.done": {
		summary: "Somebody has used an office: a group's moderator or one of the platform did something to another's words or standing.",
		payload: {
			...id,
			/** What was done: `message.delete`, `flag.resolve`, `flag.dismiss` … */
			deed: text(1, 40),
			office: oneOf("group", "platform"),
			byId: uuid,
			/** The account whose profile did it. */
			accountId: nullable(uuid),
			seq: optional(int(1)),
			/** Whom it concerns. */
			profileId: optional(uuid),
			flagId: optional(uuid),
		},
	},
});
