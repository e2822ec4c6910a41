// Joining, leaving and resuming rooms. The answer goes out first and the room goes on after it, in one go: see gate.ts.
import { setTimeout as pause } from "node:timers/promises";
import { isProblem, problem, toProblem } from "../../contracts/errors.ts";
import type { OpenedRoom } from "../../contracts/rooms.ts";
import type { Json } from "../../contracts/schema.ts";
import { ROOM_PAGE } from "../../contracts/socket.ts";
import type { Asked, Run } from "../handler.ts";
import type { Gateway } from "../gateway.ts";
import type { SocketLink } from "../link.ts";
import { Refusal } from "./gate.ts";
import type { Opening } from "./gate.ts";
import type { RoomName } from "./name.ts";
import { groupRoom, parseRoom, profileRoom } from "./name.ts";

/** All events and bytes, about, of one answer: rooms that do not fit say `more`. */
const ANSWER_EVENTS = 2_000;
const ANSWER_BYTES = 2_000_000;
/** Rooms of one answer that are asked for at once. */
const AT_ONCE = 8;
/**
 * So long (ms) a room waits after its answer before it goes on. Nothing is lost meanwhile, it is held back; but a client that
 * awaits the answer as a promise would otherwise hear the events right behind it first.
 */
const TAKE_IN = 15;
/** After a connect the profile's room waits so long (ms) for the client's `resume` before it goes live by itself. */
const RESUME_GRACE = 200;

/** Asks a room's owner as the socket's. Never rejects: a refusal is an answer. */
async function ask(
	{ gateway, link, requestId }: Asked,
	{ owner, key }: RoomName,
	after: number | undefined,
	limit: number,
): Promise<OpenedRoom | Refusal> {
	try {
		const opened = await gateway.call(link, owner, { key, ...(after === undefined ? {} : { after }), limit }, requestId);
		if (after !== undefined && after > opened.head) throw problem("seq-ahead", { head: opened.head });
		return opened;
	} catch (error) {
		return new Refusal(error, { final: isProblem(error) && [401, 403, 404, 410].includes(error.code) });
	}
}

function open(asked: Asked, room: RoomName, run: () => Promise<OpenedRoom | Refusal>): Opening {
	const { gateway, link } = asked;
	if (!gateway.gate.has(link, room.name) && gateway.gate.count(link) >= gateway.limits.rooms) {
		throw problem("rate-limited", { detail: `A socket may be in ${gateway.limits.rooms} rooms.` });
	}
	return gateway.gate.open(link, room.name, run);
}

const refused = ({ error, evicted }: Refusal): unknown => (evicted ? problem(evicted) : error);

export const groupJoin: Run<"group:join"> = async (asked, { groupId, after }, answer) => {
	const room = parseRoom(groupRoom(groupId)) as RoomName;
	const opening = open(asked, room, () => ask(asked, room, after, ROOM_PAGE));
	await opening.ready;
	try {
		const outcome = fit(opening, { events: ROOM_PAGE, bytes: ANSWER_BYTES });
		if (outcome instanceof Refusal) throw refused(outcome);
		answer(outcome);
		opening.answered();
		await pause(TAKE_IN);
	} finally {
		opening.settle();
	}
};

export const groupLeave: Run<"group:leave"> = async ({ gateway, link }, { groupId }, answer) => {
	const room = groupRoom(groupId);
	await gateway.gate.leave(link, room);
	answer({ room });
};

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
	const left = { events: Number.POSITIVE_INFINITY, bytes: ANSWER_BYTES };
	const outcomes = new Map([...openings].map(([name, opening]) => [name, opening instanceof Refusal ? opening : fit(opening, left)]));
	for (const { given, room } of names) {
		const outcome = room ? (outcomes.get(room.name) as OpenedRoom | Refusal) : new Refusal(problem("not-found"), { final: true });
		if (outcome instanceof Refusal)
			rooms[given] = {
				error: toProblem(refused(outcome), { instance: "/socket.io/resume", requestId: asked.requestId }),
			};
		else rooms[given] = { head: outcome.head, events: outcome.events, ...(outcome.more ? { more: true } : {}) };
	}
	answer({ rooms });
	for (const opening of openings.values()) if (!(opening instanceof Refusal)) opening.answered();
	await pause(TAKE_IN);
	for (const opening of openings.values()) if (!(opening instanceof Refusal)) opening.settle();
};

/** Cuts an answer to what is left of a budget, and takes it off. What was cut follows when the client asks again. */
function fit(opening: Opening, left: { events: number; bytes: number }): OpenedRoom | Refusal {
	const outcome = opening.take();
	if (outcome instanceof Refusal) return outcome;
	let count = 0;
	for (const event of outcome.events) {
		const bytes = JSON.stringify(event).length;
		if (count >= left.events || (bytes > left.bytes && left.bytes < ANSWER_BYTES)) break;
		count++;
		left.bytes -= bytes;
	}
	left.events -= count;
	if (count === outcome.events.length) return outcome;
	const cut: OpenedRoom = { ...outcome, events: outcome.events.slice(0, count), more: true };
	opening.replace(cut);
	return cut;
}

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

/**
 * The profile's own room, which every socket hears without asking. It waits a moment for the client to say how far it is,
 * so that what comes in between is not heard before what was missed.
 */
export async function openOwnRoom(gateway: Gateway, link: SocketLink, requestId: string): Promise<void> {
	const room = parseRoom(profileRoom(link.profileId)) as RoomName;
	for (let pause = 250; ; pause = Math.min(8_000, pause * 2)) {
		const opening = gateway.gate.open(link, room.name, () => ask({ gateway, link, requestId }, room, undefined, 1));
		await Promise.all([opening.ready, moment(link, pause === 250 ? RESUME_GRACE : 0)]);
		const outcome = opening.take();
		opening.settle();
		if (!(outcome instanceof Refusal) || outcome.final || !gateway.links.has(link) || gateway.gate.has(link, room.name)) return;
		gateway.broker.logger.warn("A profile's room could not be opened at connect; trying again.", {
			requestId,
			error: String(outcome.error),
		});
		await moment(link, pause);
	}
}

/** So long, or until the client resumes. */
function moment(link: SocketLink, ms: number): Promise<void> {
	return new Promise((resolve) => {
		const over = (): void => {
			clearTimeout(timer);
			link.onResume = undefined;
			resolve();
		};
		const timer = setTimeout(over, ms);
		link.onResume = over;
	});
}
