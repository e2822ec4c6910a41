// What is said in a group: posting, editing, deleting, reacting, reading.
import { problem } from "../../contracts/errors.ts";
import { nothing } from "./decision.ts";
import type { GroupDecision, Moment } from "./decision.ts";
import { mayTalk } from "./direct.ts";
import { asMember, atLeast } from "./group.ts";
import type { GroupState, MessageBody } from "./group.ts";

/** @param ahead events that wait in the same commit: a reply may refer to them */
export function post(state: GroupState | null, ahead: number, moment: Moment, message: MessageBody): GroupDecision<{ seq: number }> {
	const { group } = asMember(state, moment.by.profileId);
	mayTalk(group);
	if (message.replyTo !== undefined && message.replyTo > group.head + ahead) {
		throw problem("validation", { errors: [{ path: "replyTo", code: "range", message: "There is no such message yet." }] });
	}
	const stranger = message.mentions?.findIndex((id) => !group.members.has(id)) ?? -1;
	if (stranger >= 0)
		throw problem("validation", {
			errors: [{ path: `mentions[${stranger}]`, code: "not-member", message: "Only members of the group can be mentioned." }],
		});
	const { by } = moment;
	return {
		events: [{ type: "message", message, ...moment }],
		facts: ([seq = 0]) => [
			{
				type: "groups.message.posted",
				aggregate: group.id,
				payload: {
					groupId: group.id,
					seq,
					messageId: message.id,
					senderId: by.profileId,
					kind: message.kind,
					content: message.content,
					...(message.replyTo === undefined ? {} : { replyTo: message.replyTo }),
					...(message.mentions ? { mentions: message.mentions } : {}),
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
	if (target.deletedAt) throw problem("deleted");
	return {
		events: [{ type: "edited", target: target.seq, content, editedAt: moment.at, ...moment }],
		facts: ([seq = 0]) => [
			{
				type: "groups.message.edited",
				aggregate: group.id,
				payload: { groupId: group.id, seq, target: target.seq, senderId: target.senderId, content },
			},
		],
		effects: [],
		answer: ([eventSeq = 0]) => ({ eventSeq }),
	};
}

/** By its sender, or by a moderator who outranks nobody in particular: moderating texts is their office. Twice is once. */
export function deleteMessage(state: GroupState | null, moment: Moment, target: Target | undefined): GroupDecision<{ seq: number }> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (!target) throw problem("not-found");
	if (target.senderId !== moment.by.profileId && !atLeast(me.role, "moderator")) throw problem("forbidden");
	if (target.deletedAt) return nothing({ seq: target.seq });
	return {
		events: [{ type: "deleted", target: target.seq, deletedAt: moment.at, ...moment }],
		facts: ([seq = 0]) => [
			{
				type: "groups.message.deleted",
				aggregate: group.id,
				payload: { groupId: group.id, seq, target: target.seq, senderId: target.senderId, byId: moment.by.profileId },
			},
		],
		effects: [],
		answer: ([seq = 0]) => ({ seq }),
	};
}

/** @param has whether the caller's reaction stands already */
export function react(
	state: GroupState | null,
	moment: Moment,
	target: Target | undefined,
	emoji: string,
	add: boolean,
	has: boolean,
): GroupDecision<{ seq: number }> {
	asMember(state, moment.by.profileId);
	if (!target) throw problem("not-found");
	if (target.deletedAt) throw problem("deleted");
	if (add === has) return nothing({ seq: target.seq });
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
	if (seq > group.head) throw problem("validation", { errors: [{ path: "seq", code: "max", message: "The log is not that long." }] });
	return Math.max(me.readSeq, seq);
}
