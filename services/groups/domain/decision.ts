// What a command makes of a group: the events to append, the facts to tell, what else to write, what to answer. Pure: the decisions
// themselves are in life.ts, members.ts, bans.ts, requests.ts, invites.ts, direct.ts and messages.ts.
import type { MemberRole } from "../../contracts/groups.ts";
import type { FactName, FactPayload } from "../../contracts/index.ts";
import type { Invite } from "../../contracts/invites.ts";
import type { Caller, GroupEvent } from "./group.ts";

/** A fact of this node, before it has an id and a time. */
export type GroupFact = { [N in Extract<FactName, `groups.${string}`>]: { type: N; aggregate: string; payload: FactPayload<N> } }[Extract<
	FactName,
	`groups.${string}`
>];

/** What is written besides the log and what the log implies. */
export type Effect =
	| { kind: "requestJoin"; profileId: string; displayName: string; at: string }
	| { kind: "endRequest"; profileId: string }
	| { kind: "endInvite"; inviteId: string; state: Exclude<InviteState, "pending">; at: string; inviteeId?: string }
	| { kind: "addInvite"; invite: NewInvite; mail: InviteMail | undefined }
	| { kind: "unban"; profileId: string };

type InviteState = Invite["state"];

export interface NewInvite {
	id: string;
	inviterId: string;
	/** One of these two. */
	inviteeId: string | null;
	email: string | null;
	role: MemberRole;
	expiresAt: string;
	createdAt: string;
}

/** What goes to an invited address. */
export interface InviteMail {
	to: string;
	language: string | null;
	groupName: string;
	inviterName: string;
	link: string;
}

/** An invite as decisions need it. */
export type OpenInvite = Pick<Invite, "id" | "inviterId" | "inviteeId" | "role">;

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

/** It is so already: nothing happens, and the caller hears that it is so. */
export const nothing = <R>(answer: R): GroupDecision<R> => ({ events: [], facts: () => [], effects: [], answer: () => answer });

/** Several decisions of one moment as one, which answers `answer`. Only the last may make facts of its events' numbers. */
export function together<R>(parts: readonly Pick<GroupDecision, "events" | "facts" | "effects">[], answer: R): GroupDecision<R> {
	return {
		events: parts.flatMap(({ events }) => events),
		facts: (seqs) => parts.flatMap(({ facts }) => facts(seqs)),
		effects: parts.flatMap(({ effects }) => effects),
		answer: () => answer,
	};
}
