// What each command makes of a group: the events to append, the facts to tell, what else to write. Pure.
import { problem } from "../../contracts/errors.ts";
import type { Membership, MemberRole } from "../../contracts/groups.ts";
import type { FactName, FactPayload } from "../../contracts/index.ts";
import type { Caller, GroupEvent, GroupState, MessageBody } from "./group.ts";
import { asMember, atLeast, outranks } from "./group.ts";

/** A fact of this node, before it has an id and a time. */
export type GroupFact = { [N in Extract<FactName, `groups.${string}`>]: { type: N; aggregate: string; payload: FactPayload<N> } }[Extract<
	FactName,
	`groups.${string}`
>];

/** What is written besides the log and what the log implies. */
export type Effect =
	| { kind: "requestJoin"; profileId: string; displayName: string; at: string }
	| { kind: "endInvite"; inviteId: string; state: "accepted" | "declined"; at: string }
	| { kind: "addInvite"; invite: NewInvite };

export interface NewInvite {
	id: string;
	token: string;
	inviterId: string;
	inviteeId: string;
	role: MemberRole;
	expiresAt: string;
	createdAt: string;
}

export interface GroupDecision<R = unknown> {
	events: GroupEvent[];
	/** Gets the seqs of the events. */
	facts: (seqs: number[]) => GroupFact[];
	effects: Effect[];
	answer: (seqs: number[]) => R;
}

/** Who, when, and a fresh id for the event: everything that is not decided here. */
export interface Moment {
	by: Caller;
	at: string;
	id: string;
}

const nothing = <R>(answer: R): GroupDecision<R> => ({ events: [], facts: () => [], effects: [], answer: () => answer });

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

function gone(group: GroupState, moment: Moment): GroupDecision<Record<string, never>> {
	const { name, description, isPublic } = group;
	return {
		events: [{ type: "group", action: "deleted", group: { name, description, isPublic }, ...moment }],
		facts: () => [{ type: "groups.group.deleted", aggregate: group.id, payload: { groupId: group.id } }],
		effects: [],
		answer: () => ({}),
	};
}

export function remove(state: GroupState | null, moment: Moment): GroupDecision<Record<string, never>> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (me.role !== "admin") throw problem("forbidden");
	return gone(group, moment);
}

function joined(group: GroupState, moment: Moment, role: MemberRole): Pick<GroupDecision, "events" | "facts"> {
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

/** Public groups: every member invites, as member. Private: moderators and admins. Nobody gives more than they have. */
export function invite(
	state: GroupState | null,
	moment: Moment,
	invite: NewInvite,
	open: { id: string } | undefined,
): GroupDecision<NewInvite> {
	const { group, me } = asMember(state, moment.by.profileId);
	if (!group.isPublic && !atLeast(me.role, "moderator")) throw problem("forbidden");
	if (!atLeast(me.role, invite.role)) throw problem("rank");
	if (group.members.has(invite.inviteeId)) throw problem("already-member");
	if (open) throw problem("already-invited", { inviteId: open.id });
	const { id: inviteId, inviterId, inviteeId, role } = invite;
	return {
		events: [],
		facts: () => [
			{
				type: "groups.invite.created",
				aggregate: group.id,
				payload: { inviteId, groupId: group.id, groupName: group.name, inviterId, inviteeId, role },
			},
		],
		effects: [{ kind: "addInvite", invite }],
		answer: () => invite,
	};
}

/** Accepting makes a member with the role that the invite carries; one who is a member already keeps theirs. */
export function acceptInvite(
	state: GroupState | null,
	moment: Moment,
	invite: { id: string; inviterId: string; role: MemberRole },
): GroupDecision<null> {
	if (!state) throw problem("not-found");
	const { profileId } = moment.by;
	const entry = state.members.has(profileId) ? nothing(null) : joined(state, moment, invite.role);
	return {
		events: entry.events,
		facts: (seqs) => [
			...entry.facts(seqs),
			{
				type: "groups.invite.accepted",
				aggregate: state.id,
				payload: { inviteId: invite.id, groupId: state.id, inviterId: invite.inviterId, inviteeId: profileId },
			},
		],
		effects: [{ kind: "endInvite", inviteId: invite.id, state: "accepted", at: moment.at }],
		answer: () => null,
	};
}

export function declineInvite(state: GroupState | null, moment: Moment, invite: { id: string; inviterId: string }): GroupDecision<null> {
	if (!state) throw problem("not-found");
	return {
		events: [],
		facts: () => [
			{
				type: "groups.invite.declined",
				aggregate: state.id,
				payload: { inviteId: invite.id, groupId: state.id, inviterId: invite.inviterId, inviteeId: moment.by.profileId },
			},
		],
		effects: [{ kind: "endInvite", inviteId: invite.id, state: "declined", at: moment.at }],
		answer: () => null,
	};
}

/** @param ahead events that wait in the same commit: a reply may refer to them */
export function post(state: GroupState | null, ahead: number, moment: Moment, message: MessageBody): GroupDecision<{ seq: number }> {
	const { group } = asMember(state, moment.by.profileId);
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
