// What clients did and what they were told, as Jepsen keeps it: an operation ends ok, failed (certainly not done), or unknown
// (perhaps done, perhaps not). The checker holds it against what is stored and what was heard.

export type Outcome = "ok" | "failed" | "unknown";

/** One attempt to send a message. Attempts with the same key are the same message sent again. */
export interface Attempt {
	/** Room, sender and clientId: must become one event, whoever asked how often. */
	key: string;
	room: string;
	/** On the clock of this process, in ms. */
	invoked: number;
	completed: number;
	outcome: Outcome;
	/** What was acknowledged. */
	seq?: number;
	id?: string;
	/** Why it was not. */
	why?: string;
}

/** A log event, as far as a checker looks into it. */
export interface LoggedEvent {
	room: string;
	seq: number;
	type: string;
	at: string;
	by: { profileId: string };
	message?: { id: string; clientId: string };
}

/** What one listener heard of one room, in the order in which it heard it, over all its connections. */
export interface Heard {
	listener: string;
	room: string;
	/** It asked for everything behind this seq. */
	after: number;
	events: LoggedEvent[];
}

export const keyOf = (room: string, profileId: string, clientId: string): string => `${room} ${profileId} ${clientId}`;

/** One HTTP request of the load, whatever it was for. */
export interface Asked {
	method: string;
	path: string;
	at: number;
	/** Status of the answer; 0 where there was none. */
	status: number;
	/** Why it counts as failed: no 2xx answer, not even from the other door after a refused connection. */
	failure?: string;
}

/** The longest time (ms) in which nothing at all was acknowledged, between two moments. */
export function longestGap(attempts: readonly Attempt[], from: number, to: number): number {
	const moments = attempts
		.filter(({ outcome, completed }) => outcome === "ok" && completed > from && completed < to)
		.map(({ completed }) => completed)
		.sort((a, b) => a - b);
	let longest = 0;
	let last = from;
	for (const moment of [...moments, to]) {
		longest = Math.max(longest, moment - last);
		last = moment;
	}
	return longest;
}
