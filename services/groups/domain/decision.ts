// What a command makes of a group: the events to append, the facts to tell, what else to write, what to answer. Pure: the decisions
// themselves are in life.ts, members.ts, invites.ts and messages.ts.
import type { MemberRole } from "../../contracts/groups.ts";
import type { FactName, FactPayload } from "../../contracts/index.ts";
import type { Caller, GroupEvent } from "./group.ts";

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

/** It is so already: nothing happens, and the caller hears that it is so. */
export const nothing = <R>(answer: R): GroupDecision<R> => ({ events: [], facts: () => [], effects: [], answer: () => answer });
