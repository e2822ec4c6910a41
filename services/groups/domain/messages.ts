// What is said in a group: posting, editing, deleting, reacting, reading.
import { problem } from "../../contracts/errors.ts";
import { nothing } from "./decision.ts";
import type { GroupDecision, Moment } from "./decision.ts";
import { mayTalk, notBlocked } from "./direct.ts";
import { asEmoji } from "./emoji.ts";
import { asMember, outranks } from "./group.ts";
import type { GroupState, MessageBody } from "./group.ts";

/** Different emoji that one message may carry. */
export const MOST_EMOJI = 20;
/** Code points of a message that its fact repeats, for whoever is notified. */
const EXCERPT = 140;

const wrong = (path: string, code: string, message: string) => problem("validation", { errors: [{ path, code, message }] });

/** The beginning of a text, cut between characters. */
export const excerptOf = (content: string): string => (content.length <= EXCERPT ? content : [...content].slice(0, EXCERPT).join(""));

/** A text says something, unless pictures do. */
export function saysSomething(content: string, attachments: number): void {
	if (attachments > 0 || content.trim() !== "") return;
	throw content === "" ? wrong("content", "min", "must be at least 1 characters") : wrong("content", "blank", "must not be blank");
}

/** What can be said of a message before it is known where it goes. */
export function checkWritten(written: { kind: "text" | "borrow"; content: string; attachments: readonly string[]; itemId?: string }): void {
	// Kept for lending: as long as nothing can be lent, it can neither be asked for nor offered.
	if (written.kind === "borrow") throw wrong("kind", "unavailable", "Nothing can be lent here yet.");
	if (written.itemId !== undefined) throw wrong("itemId", "unknown", "Only a message of the kind borrow names an item.");
	const again = written.attachments.findIndex((id, i) => written.attachments.indexOf(id) < i);
	if (again >= 0) throw wrong(`attachments[${again}]`, "repeated", "Each picture once.");
	saysSomething(written.content, written.attachments.length);
}

/** What the store knows about what a new message refers to. */
export interface Around {
	/** The message that it replies to, where there is one. */
	repliedTo?: Target | undefined;
	/** Of those it mentions: who has blocked the sender, or is blocked by them. They hear nothing of it. */
	deaf?: ReadonlySet<string>;
}

export function post(state: GroupState | null, moment: Moment, message: MessageBody, around: Around = {}): GroupDecision<{ seq: number }> {
	const { group } = asMember(state, moment.by.profileId);
	mayTalk(group);
	const { repliedTo, deaf } = around;
	if (message.replyTo !== undefined && !repliedTo) throw wrong("replyTo", "range", "There is no such message.");
	if (repliedTo?.deletedAt) throw wrong("replyTo", "deleted", "That message has been deleted.");
	const stranger = message.mentions?.findIndex((id) => !group.members.has(id)) ?? -1;
	if (stranger >= 0) throw wrong(`mentions[${stranger}]`, "not-member", "Only members of the group can be mentioned.");
	const { by } = moment;
	return {
		events: [{ type: "message", message, ...moment }],
		facts: ([seq = 0]) => [
			{
				type: "groups.message.posted",
				aggregate: group.id,
				payload: {
					groupId: group.id,
					groupName: group.name,
					seq,
					messageId: message.id,
					senderId: by.profileId,
					displayName: by.displayName,
					kind: message.kind,
					content: message.content,
					excerpt: excerptOf(message.content),
					...(repliedTo ? { replyTo: repliedTo.seq } : {}),
					// Who has left hears nothing more of it, not even an answer to what they said.
					...(repliedTo && group.members.has(repliedTo.senderId) ? { repliedToId: repliedTo.senderId } : {}),
					mentions: message.mentions?.filter((id) => !deaf?.has(id)) ?? [],
					attachments: message.attachments?.map(({ id }) => id) ?? [],
				},
			},
		],
		effects: [],
		answer: ([seq = 0]) => ({ seq }),
	};
}

/** A message as stored, as far as decisions need it. */
export interface Target {
	seq: number;
	senderId: string;
	deletedAt: string | null;
	/** Ids of the pictures it came with. */
	attachments: readonly string[];
}

export function editMessage(
	state: GroupState | null,
	moment: Moment,
	target: Target | undefined,
	content: string,
): GroupDecision<{ eventSeq: number }> {
	const { group } = asMember(state, moment.by.profileId);
	if (!target) throw problem("not-found");
	if (target.senderId !== moment.by.profileId) throw problem("forbidden");
	notBlocked(group);
	if (target.deletedAt) throw problem("deleted");
	saysSomething(content, target.attachments.length);
	const { seq: message, senderId, attachments } = target;
	return {
		events: [{ type: "edited", target: message, content, editedAt: moment.at, ...moment }],
		facts: ([seq = 0]) => [
			{
				type: "groups.message.edited",
				aggregate: group.id,
				payload: { groupId: group.id, seq, target: message, senderId, content, attachments: [...attachments] },
			},
		],
		effects: [],
		answer: ([eventSeq = 0]) => ({ eventSeq }),
	};
}

/** The caller's right to delete it: the sender's own, or that of a moderator of higher rank; who has left has no rank. */
export function deleteMessage(state: GroupState | null, moment: Moment, target: Target | undefined): GroupDecision<{ seq: number }> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (!target) throw problem("not-found");
	if (target.senderId !== moment.by.profileId) {
		if (me.role === "member") throw problem("forbidden");
		const sender = group.members.get(target.senderId);
		if (sender && !outranks(me.role, sender.role)) throw problem("rank");
	}
	return deleted(group, moment, target);
}

/** By a moderator of the platform, in whatever group it is. */
export function deleteForAll(state: GroupState | null, moment: Moment, target: Target | undefined): GroupDecision<{ seq: number }> {
	if (!state || !target) throw problem("not-found");
	return deleted(state, moment, target);
}

/** Twice is once. */
function deleted(group: GroupState, moment: Moment, target: Target): GroupDecision<{ seq: number }> {
	if (target.deletedAt) return nothing({ seq: target.seq });
	return {
		events: [{ type: "deleted", target: target.seq, deletedAt: moment.at, ...moment }],
		facts: ([seq = 0]) => [
			{
				type: "groups.message.deleted",
				aggregate: group.id,
				payload: { groupId: group.id, seq, target: target.seq, senderId: target.senderId, byId: moment.by.profileId, attachments: [] },
			},
		],
		effects: [],
		answer: ([seq = 0]) => ({ seq }),
	};
}

/** The emoji as it is kept. */
export function emojiOf(text: string): string {
	const emoji = asEmoji(text);
	if (emoji === null) throw wrong("emoji", "format", "must be one emoji");
	return emoji;
}

/**
 * @param emoji as it is kept
 * @param standing the emoji that the message carries, each with whether the caller's is among them
 */
export function react(
	state: GroupState | null,
	moment: Moment,
	target: Target | undefined,
	emoji: string,
	add: boolean,
	standing: ReadonlyMap<string, boolean>,
): GroupDecision<{ seq: number }> {
	const { group } = asMember(state, moment.by.profileId);
	if (!target) throw problem("not-found");
	if (add) notBlocked(group);
	if (target.deletedAt) throw problem("deleted");
	if (add === (standing.get(emoji) ?? false)) return nothing({ seq: target.seq });
	if (add && !standing.has(emoji) && standing.size >= MOST_EMOJI) throw problem("too-many-emoji", { most: MOST_EMOJI });
	return {
		events: [{ type: "reacted", target: target.seq, emoji, profileId: moment.by.profileId, added: add, ...moment }],
		facts: () => [],
		effects: [],
		answer: ([seq = 0]) => ({ seq }),
	};
}

/** A read mark goes forward only, and not beyond the log. */
export function readTo(state: GroupState | null, profileId: string, seq: number): number {
	const { group, me } = asMember(state, profileId);
	if (seq > group.head) throw wrong("seq", "max", "The log is not that long.");
	return Math.max(me.readSeq, seq);
}
