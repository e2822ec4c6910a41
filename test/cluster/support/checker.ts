// Holds a history against the log that is stored and against what every listener heard. It knows nothing of how any of it came
// about, so it can be tested with faults planted on purpose: test/unit/checker.test.ts.
import { isDeepStrictEqual } from "node:util";
import type { Attempt, Heard, LoggedEvent } from "./history.ts";
import { keyOf } from "./history.ts";

export interface Evidence {
	attempts: readonly Attempt[];
	/** The stored log of each room, in the order in which the server gives it, from seq `after` + 1 on. */
	logs: ReadonlyMap<string, { after: number; events: readonly LoggedEvent[] }>;
	heard: readonly Heard[];
}

/** What a guarantee can be broken by; each list holds one sentence for each case. */
export interface Verdict {
	/** Messages that were acknowledged. */
	acknowledged: number;
	/** Messages of which nobody knew in the end; they may be stored or not. */
	unknown: number;
	/** Acknowledged, and not stored as acknowledged. */
	lost: string[];
	/** Stored, acknowledged or heard twice. */
	doubled: string[];
	/** A number that is missing in a log or to a listener. */
	gaps: string[];
	/** Heard, or numbered, in another order than it happened. */
	reordered: string[];
	/** Stored though nobody sent it, or though it was refused; heard otherwise than stored. */
	invented: string[];
}

export const BROKEN_BY = ["lost", "doubled", "gaps", "reordered", "invented"] as const;

/** Every case, with the name of its kind; empty where all guarantees hold. */
export const breaches = (verdict: Verdict): string[] => BROKEN_BY.flatMap((kind) => verdict[kind].map((what) => `${kind}: ${what}`));

export function check({ attempts, logs, heard }: Evidence): Verdict {
	const verdict: Verdict = { acknowledged: 0, unknown: 0, lost: [], doubled: [], gaps: [], reordered: [], invented: [] };
	const messages = Map.groupBy(attempts, ({ key }) => key);
	const stored = storedMessages(logs, verdict);
	for (const [key, tries] of messages) checkMessage(key, tries, stored.get(key) ?? [], verdict);
	for (const [key, events] of stored) {
		if (events.length > 1) verdict.doubled.push(`${key} is stored as ${events.map(({ seq }) => seq).join(" and ")}`);
		const tries = messages.get(key);
		if (!tries) verdict.invented.push(`${key} is stored as ${events[0]?.seq}, and nobody sent it`);
		else if (tries.every(({ outcome }) => outcome === "failed"))
			verdict.invented.push(`${key} is stored as ${events[0]?.seq}, and was refused`);
	}
	for (const [room, { events }] of logs) checkOrder(room, events, messages, verdict);
	for (const each of heard) checkListener(each, logs.get(each.room), verdict);
	return verdict;
}

/** The messages of all logs by their key; says what is wrong with the numbers on the way. */
function storedMessages(logs: Evidence["logs"], verdict: Verdict): Map<string, LoggedEvent[]> {
	const stored = new Map<string, LoggedEvent[]>();
	for (const [room, { after, events }] of logs) {
		let last = after;
		for (const event of events) {
			if (event.seq === last) verdict.doubled.push(`${room} has ${event.seq} twice`);
			else if (event.seq < last) verdict.reordered.push(`${room} has ${event.seq} behind ${last}`);
			else if (event.seq > last + 1) verdict.gaps.push(`${room} has ${event.seq} behind ${last}`);
			last = Math.max(last, event.seq);
			if (event.type !== "message" || !event.message) continue;
			const key = keyOf(room, event.by.profileId, event.message.clientId);
			const known = stored.get(key);
			if (known) known.push(event);
			else stored.set(key, [event]);
		}
	}
	return stored;
}

/** An acknowledged message is there, once, as the number and the id that every acknowledgement named. */
function checkMessage(key: string, tries: readonly Attempt[], events: readonly LoggedEvent[], verdict: Verdict): void {
	const acknowledged = tries.filter(({ outcome }) => outcome === "ok");
	const [first] = acknowledged;
	if (!first) {
		if (tries.some(({ outcome }) => outcome === "unknown")) verdict.unknown++;
		return;
	}
	verdict.acknowledged++;
	const other = acknowledged.find(({ seq, id }) => seq !== first.seq || id !== first.id);
	if (other) verdict.doubled.push(`${key} was acknowledged as ${first.seq} and as ${other.seq}`);
	if (events.length === 0) verdict.lost.push(`${key} was acknowledged as ${first.seq}`);
	else if (!events.some(({ seq, message }) => seq === first.seq && message?.id === first.id))
		verdict.lost.push(`${key} was acknowledged as ${first.seq}, and is stored as ${events.map(({ seq }) => seq).join(" and ")}`);
}

/** What was acknowledged before something else was begun has the lower number. */
function checkOrder(
	room: string,
	events: readonly LoggedEvent[],
	messages: ReadonlyMap<string, readonly Attempt[]>,
	verdict: Verdict,
): void {
	/** Of all behind this one in the log: when the first was acknowledged. */
	let acknowledged = Number.POSITIVE_INFINITY;
	let which = 0;
	for (const event of events.toReversed()) {
		const tries = event.message && messages.get(keyOf(room, event.by.profileId, event.message.clientId));
		if (!tries) continue;
		const begun = Math.min(...tries.map(({ invoked }) => invoked));
		if (acknowledged < begun) verdict.reordered.push(`${room}: ${which} was acknowledged before ${event.seq} was sent`);
		const ended = Math.min(...tries.filter(({ outcome }) => outcome === "ok").map(({ completed }) => completed));
		if (ended < acknowledged) {
			acknowledged = ended;
			which = event.seq;
		}
	}
}

/** Every listener heard the log: all of it, each event once, in its order, and as it is stored. */
function checkListener(
	{ listener, room, after, events }: Heard,
	log: { events: readonly LoggedEvent[] } | undefined,
	verdict: Verdict,
): void {
	const stored = new Map((log?.events ?? []).map((event) => [event.seq, event]));
	const said = (what: string) => `${listener} in ${room}: ${what}`;
	const seen = new Set<number>();
	let last = after;
	for (const event of events) {
		if (seen.has(event.seq)) verdict.doubled.push(said(`heard ${event.seq} twice`));
		else if (event.seq <= last) verdict.reordered.push(said(`heard ${event.seq} behind ${last}`));
		else if (event.seq > last + 1) verdict.gaps.push(said(`heard ${event.seq} behind ${last}`));
		seen.add(event.seq);
		last = Math.max(last, event.seq);
		if (!isDeepStrictEqual(event, stored.get(event.seq))) verdict.invented.push(said(`heard ${event.seq} otherwise than it is stored`));
	}
	const head = log?.events.at(-1)?.seq ?? after;
	if (last < head) verdict.gaps.push(said(`heard nothing behind ${last} of ${head}`));
}
