// The sockets of the storm and idle benchmarks, in a process of their own: each in one room, all connected, and after their
// gateway has died all connected again, asking for what they missed.
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "../support/children.ts";
import { percentile } from "../support/figures.ts";
import { eachOf } from "../support/people.ts";
import type { Member } from "./member.ts";
import { openMember } from "./member.ts";

export type StormAsk =
	| { kind: "open"; url: string; sockets: { token: string; groupId: string }[] }
	/** All come back, each after 0.5 to 1.5 s, as stock clients do; `missed` is what each of them must be told. */
	| { kind: "storm"; url: string; missed: number }
	| { kind: "close" };

export interface StormResult {
	/** From the beginning of the storm until a socket had all it missed, in ms. */
	p50: number;
	p99: number;
	last: number;
	/** Sockets that were refused at first and came again. */
	again: number;
	faults: string[];
}

interface Place {
	token: string;
	room: string;
	seq: number;
	member: Member;
}

/** As many handshakes at once as one process may have under way. */
const WIDTH = 64;
const RETRY_MS = 1_000;
let places: Place[] = [];

async function open(url: string, token: string, groupId: string): Promise<Place> {
	const member = await openMember(url, token);
	const [error, result] = JSON.parse(await member.emit("group:join", { groupId })) as [unknown, { room: string; head: number }];
	if (error) throw new Error(`group:join was refused: ${JSON.stringify(error)}`);
	return { token, room: result.room, seq: result.head, member };
}

interface Answer {
	head: number;
	events: { seq: number }[];
	more?: true;
	error?: unknown;
}

async function comeBack(place: Place, url: string, missed: number, result: StormResult): Promise<void> {
	await pause(500 + Math.random() * 1_000);
	for (let refused = false; ; refused = true) {
		try {
			place.member = await openMember(url, place.token);
			if (refused) result.again++;
			break;
		} catch {
			await pause(RETRY_MS * (0.5 + Math.random()));
		}
	}
	const [error, answer] = JSON.parse(await place.member.emit("resume", { rooms: { [place.room]: place.seq } })) as [
		unknown,
		{ rooms: Record<string, Answer> },
	];
	const { events = [], error: refused } = answer?.rooms[place.room] ?? {};
	if (error || refused) result.faults.push(`resume was refused: ${JSON.stringify(error ?? refused)}`);
	const right = events.length === missed && events.every(({ seq }, index) => seq === place.seq + 1 + index);
	if (!right) result.faults.push(`${events.length} events came of ${missed}`);
	place.seq += events.length;
}

async function storm(url: string, missed: number): Promise<StormResult> {
	const result: StormResult = { p50: 0, p99: 0, last: 0, again: 0, faults: [] };
	const began = performance.now();
	const waits = await Promise.all(
		places.map(async (place) => {
			await comeBack(place, url, missed, result);
			return performance.now() - began;
		}),
	);
	result.faults.push(...places.flatMap(({ member }) => member.faults.splice(0)));
	return {
		...result,
		p50: percentile(waits, 0.5),
		p99: percentile(waits, 0.99),
		last: Math.max(...waits),
		faults: [...new Set(result.faults)],
	};
}

serve<StormAsk, StormResult | null>(async (ask) => {
	switch (ask.kind) {
		case "open":
			places = await eachOf(ask.sockets, WIDTH, ({ token, groupId }) => open(ask.url, token, groupId));
			return null;
		case "storm":
			return storm(ask.url, ask.missed);
		case "close":
			for (const { member } of places) member.close();
			places = [];
			return null;
	}
});
