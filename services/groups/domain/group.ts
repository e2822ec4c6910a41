// What a group is and how its log changes it. Pure: no clock, no chance, no store.
import { problem } from "../../contracts/errors.ts";
import type { Group, MemberRole } from "../../contracts/groups.ts";

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
}

export interface GroupState {
	id: string;
	name: string;
	description: string;
	isPublic: boolean;
	creatorId: string;
	createdAt: string;
	/** The last seq of the log. */
	head: number;
	members: Map<string, Member>;
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
}

/** Everything that can stand in a group's log. */
export type GroupEvent =
	| (Base & { type: "message"; message: MessageBody })
	| (Base & { type: "edited"; target: number; content: string; editedAt: string })
	| (Base & { type: "deleted"; target: number; deletedAt: string })
	| (Base & { type: "reacted"; target: number; emoji: string; profileId: string; added: boolean })
	| (Base & {
			type: "member";
			action: "joined" | "left" | "kicked" | "roleChanged";
			profileId: string;
			displayName: string;
			role?: MemberRole;
	  })
	| (Base & { type: "group"; action: "created" | "updated" | "deleted"; group: { name: string; description: string; isPublic: boolean } });

const RANK: Record<MemberRole, number> = { member: 1, moderator: 2, admin: 3 };
export const outranks = (one: MemberRole, other: MemberRole) => RANK[one] > RANK[other];
export const atLeast = (one: MemberRole, other: MemberRole) => RANK[one] >= RANK[other];

/** The state after one more event of the log. */
export function evolve(state: GroupState | null, groupId: string, seq: number, event: GroupEvent): GroupState | null {
	if (event.type === "group" && event.action === "created") {
		const creator: Member = { displayName: event.by.displayName, role: "admin", joinedAt: event.at, joinedSeq: seq, readSeq: seq };
		return {
			id: groupId,
			...event.group,
			creatorId: event.by.profileId,
			createdAt: event.at,
			head: seq,
			members: new Map([[event.by.profileId, creator]]),
		};
	}
	if (!state) return null;
	state.head = seq;
	switch (event.type) {
		case "group":
			if (event.action === "deleted") return null;
			return Object.assign(state, event.group);
		case "member": {
			const known = state.members.get(event.profileId);
			if (event.action === "left" || event.action === "kicked") state.members.delete(event.profileId);
			else if (known) known.role = event.role ?? known.role;
			else
				state.members.set(event.profileId, {
					displayName: event.displayName,
					role: event.role ?? "member",
					joinedAt: event.at,
					joinedSeq: seq,
					readSeq: seq,
				});
			return state;
		}
		case "message":
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

export function viewGroup(group: GroupState, profileId: string, unread: number): Group {
	return {
		id: group.id,
		name: group.name,
		description: group.description,
		isPublic: group.isPublic,
		role: group.members.get(profileId)?.role ?? null,
		memberCount: group.members.size,
		head: group.head,
		unread,
		createdAt: group.createdAt,
	};
}
