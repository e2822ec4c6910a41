// What a group is and how its log changes it. Pure: no clock, no chance, no store.
import { problem } from "../../contracts/errors.ts";
import type { Group, MemberRole } from "../../contracts/groups.ts";
import { DELETED } from "../../contracts/persons.ts";
import { Roster } from "./roster.ts";
import type { Described } from "../../contracts/uploads.ts";

export interface Caller {
	profileId: string;
	displayName: string;
}

export interface Member {
	displayName: string;
	role: MemberRole;
	joinedAt: string;
	joinedSeq: number;
	/** Everything up to this seq was read. */
	readSeq: number;
	/** Until when they want no notifications; null where they want them. */
	mutedUntil: string | null;
}

/** What its log says of a group itself. */
export interface GroupBody {
	name: string;
	description: string;
	isPublic: boolean;
	/** An upload's id. Where one was never set, or the log is older than avatars, it is not there. */
	avatar?: string | null;
	/** `direct`: of two people alone, of whom neither runs it. */
	kind?: "direct";
}

export interface GroupState {
	id: string;
	name: string;
	description: string;
	isPublic: boolean;
	kind: "group" | "direct";
	avatar: string | null;
	creatorId: string;
	createdAt: string;
	/** The last seq of the log. */
	head: number;
	/** How many messages the log has had, deleted ones too; left out where nobody knows. */
	messages?: number;
	members: Roster;
	/** A direct talk: who the two are, whoever of them is still there. */
	pair?: readonly [string, string];
	/** A direct talk of which one has blocked the other. */
	blocked?: boolean;
}

interface Base {
	/** The event's own id; a message's id. */
	id: string;
	by: Caller;
	at: string;
}

export interface MessageBody {
	id: string;
	clientId: string;
	kind: "text";
	content: string;
	replyTo?: number;
	mentions?: string[];
	/** Pictures as they are kept: links to them are made where they are shown. */
	attachments?: Described[];
}

/** Everything that can stand in a group's log. */
export type GroupEvent =
	| (Base & { type: "message"; message: MessageBody })
	| (Base & { type: "edited"; target: number; content: string; editedAt: string })
	| (Base & { type: "deleted"; target: number; deletedAt: string })
	| (Base & { type: "reacted"; target: number; emoji: string; profileId: string; added: boolean })
	| (Base & {
			type: "member";
			action: "joined" | "left" | "kicked" | "banned" | "roleChanged";
			profileId: string;
			displayName: string;
			/** Who was banned had this role; without it they were no member. */
			role?: MemberRole;
	  })
	| (Base & { type: "group"; action: "created" | "updated" | "deleted"; group: GroupBody });

const RANK: Record<MemberRole, number> = { member: 1, moderator: 2, admin: 3 };
export const outranks = (one: MemberRole, other: MemberRole) => RANK[one] > RANK[other];
export const atLeast = (one: MemberRole, other: MemberRole) => RANK[one] >= RANK[other];

const newcomer = (displayName: string, role: MemberRole, joinedAt: string, seq: number): Member => ({
	...{ displayName, role, joinedAt, joinedSeq: seq, readSeq: seq, mutedUntil: null },
});

/** The state after one more event of the log. */
export function evolve(state: GroupState | null, groupId: string, seq: number, event: GroupEvent): GroupState | null {
	if (event.type === "group" && event.action === "created") {
		const { kind = "group", avatar = null, name, description, isPublic } = event.group;
		const creator = newcomer(event.by.displayName, kind === "direct" ? "member" : "admin", event.at, seq);
		return {
			...{ id: groupId, name, description, isPublic, kind, avatar },
			creatorId: event.by.profileId,
			createdAt: event.at,
			head: seq,
			messages: 0,
			members: new Roster([[event.by.profileId, creator]]),
		};
	}
	if (!state) return null;
	state.head = seq;
	switch (event.type) {
		case "group":
			if (event.action === "deleted") return null;
			return Object.assign(state, { avatar: null }, event.group);
		case "member": {
			const { profileId, displayName, role } = event;
			if (event.action === "joined") {
				state.members.enter(profileId, newcomer(displayName, role ?? "member", event.at, seq));
				if (state.kind === "direct") state.pair ??= [state.creatorId, profileId];
			} else if (event.action === "roleChanged") state.members.setRole(profileId, role ?? "member");
			else if (event.action !== "banned" || role) state.members.part(profileId);
			return state;
		}
		case "message":
			if (state.messages !== undefined) state.messages++;
			return state;
		case "edited":
		case "deleted":
		case "reacted":
			return state;
		default:
			return event satisfies never;
	}
}

/** The group, where it exists for this profile: a stranger's private group does not. */
export function visible(state: GroupState | null, profileId: string): GroupState {
	if (!state || (!state.isPublic && !state.members.has(profileId))) throw problem("not-found");
	return state;
}

/** The group and the caller's membership: 404 where the group does not exist for them, 403 `not-member` in a public one. */
export function asMember(state: GroupState | null, profileId: string): { group: GroupState; me: Member } {
	const group = visible(state, profileId);
	const me = group.members.get(profileId);
	if (!me) throw problem("not-member");
	return { group, me };
}

/** Somebody's talk with nobody: the other's profile is gone. */
const NOBODY = DELETED.displayName;

/** Of a direct talk: the other one, as long as they are there. */
export function peerOf({ pair, members }: Pick<GroupState, "pair" | "members">, profileId: string): Group["peer"] {
	const peerId = pair?.find((id) => id !== profileId);
	const peer = peerId === undefined ? undefined : members.get(peerId);
	return peerId !== undefined && peer ? { profileId: peerId, displayName: peer.displayName } : null;
}

/** A mute that is over is none. */
export const mutedAt = (until: string | null, now: Date): string | null =>
	until !== null && Date.parse(until) > now.getTime() ? until : null;

/** Everything of a group that is shown but its picture, of which there is only the id. */
export function viewGroup(
	group: GroupState,
	profileId: string,
	unread: number,
	now: Date,
): Omit<Group, "avatar"> & { avatar: string | null } {
	const me = group.members.get(profileId);
	const peer = peerOf(group, profileId);
	return {
		id: group.id,
		name: group.kind === "direct" ? (peer?.displayName ?? NOBODY) : group.name,
		description: group.description,
		isPublic: group.isPublic,
		kind: group.kind,
		peer,
		avatar: group.avatar,
		role: me?.role ?? null,
		memberCount: group.members.size,
		head: group.head,
		unread,
		mutedUntil: mutedAt(me?.mutedUntil ?? null, now),
		createdAt: group.createdAt,
	};
}
