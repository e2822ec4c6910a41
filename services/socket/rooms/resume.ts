// What was missed in many rooms at once: each room goes on from exactly what is answered here.
import { setTimeout as pause } from "node:timers/promises";
import { problem, toProblem } from "../../contracts/errors.ts";
import type { OpenedRoom } from "../../contracts/rooms.ts";
import type { Json } from "../../contracts/schema.ts";
import { ROOM_PAGE } from "../../contracts/socket.ts";
import type { Run } from "../handler.ts";
import { logged } from "../logged.ts";
import { ANSWER_BYTES, ask, fit, open, refused } from "./asking.ts";
import { TAKE_IN } from "./join.ts";
import type { RoomName } from "./name.ts";
import { parseRoom, profileRoom } from "./name.ts";
import { Refusal } from "./opening.ts";
import type { Opening } from "./opening.ts";

/** All events of one answer: rooms that do not fit say `more`. */
const ANSWER_EVENTS = 2_000;
/** Rooms of one answer that are asked for at once. */
const AT_ONCE = 8;

export const resume: Run<"resume"> = async (asked, payload, answer) => {
	const names = Object.entries(payload.rooms).map(([given, after]) => ({ given, after, room: parseRoom(given) }));
	// The same room under two names is opened once, from the earlier seq on.
	const wanted = new Map<string, { room: RoomName; after: number }>();
	for (const { room, after } of names)
		if (room) wanted.set(room.name, { room, after: Math.min(after, wanted.get(room.name)?.after ?? after) });

	const budget = { events: ANSWER_EVENTS, bytes: ANSWER_BYTES };
	const turns = makeTurns(AT_ONCE);
	const openings = new Map<string, Opening | Refusal>();
	for (const [name, { room, after }] of wanted) {
		try {
			openings.set(
				name,
				open(asked, room, () =>
					turns(async () => {
						const opened = await ask(asked, room, after, Math.max(1, Math.min(ROOM_PAGE, budget.events)));
						if (!(opened instanceof Refusal)) budget.events -= opened.events.length;
						return opened;
					}),
				),
			);
		} catch (error) {
			openings.set(name, new Refusal(error, { final: false }));
		}
	}
	if (wanted.has(profileRoom(asked.link.profileId))) asked.link.onResume?.();
	for (const opening of openings.values()) if (!(opening instanceof Refusal)) await opening.ready;

	// Each room goes on from exactly what is answered here: what comes after `take()` is held back until `settle()`.
	const rooms: Record<string, Json> = {};
	const where = { instance: "/socket.io/resume", requestId: asked.requestId };
	const left = { events: Number.POSITIVE_INFINITY, bytes: ANSWER_BYTES };
	const outcomes = new Map([...openings].map(([name, opening]) => [name, opening instanceof Refusal ? opening : fit(opening, left)]));
	for (const { given, room } of names) {
		const outcome = room ? (outcomes.get(room.name) as OpenedRoom | Refusal) : new Refusal(problem("not-found"), { final: true });
		if (outcome instanceof Refusal)
			rooms[given] = {
				error: toProblem(logged(asked.gateway, `To resume ${given}`, asked.requestId, refused(outcome)), where),
			};
		else rooms[given] = { head: outcome.head, events: outcome.events, ...(outcome.more ? { more: true } : {}) };
	}
	answer({ rooms });
	for (const opening of openings.values()) if (!(opening instanceof Refusal)) opening.answered();
	await pause(TAKE_IN);
	for (const opening of openings.values()) if (!(opening instanceof Refusal)) opening.settle();
};

/** Runs at most `atOnce` of what it is given at a time, in order. */
function makeTurns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
	const waiting: (() => void)[] = [];
	let running = 0;
	return async (work) => {
		if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
		else running++;
		try {
			return await work();
		} finally {
			const next = waiting.shift();
			if (next) next();
			else running--;
		}
	};
}
