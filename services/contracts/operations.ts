// What every process tells its operators about itself, and the one thing they tell it. No door leads here: operators ask
// with `npm run admin` and the REPL, of one process at a time.
import { health } from "./health.ts";
import { internal } from "./contract.ts";
import { array, bool, defaulted, int, nullable, object, optional, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

const nodeId = text(1, 255);
/** How many rows an answer holds at most; `total` counts them all. */
const limit = defaulted(int(1, 10_000), 1_000);

export const heardRoom = object({ room: text(1, 255), sockets: int(0) });
export type HeardRoom = Infer<typeof heardRoom>;

export const openSocket = object({
	id: text(1, 128),
	profileId: uuid,
	displayName: text(0, 255),
	address: text(0, 64),
	rooms: int(0),
	/** Bytes that wait to be sent to it. */
	backlog: int(0),
	connectedAt: time,
});
export type OpenSocket = Infer<typeof openSocket>;

export const actorState = object({
	/** The state is in memory; the next command needs no look into the store. */
	loaded: bool,
	/** The last number of its log as this process knows it; null where it is not loaded. */
	head: nullable(int(0)),
	/** Commands that wait in its mailbox. */
	waiting: int(0),
	/** A commit is under way. */
	busy: bool,
});
export type ActorState = Infer<typeof actorState>;

export const processState = object({
	nodeId,
	nodes: array(text(1, 64)),
	pid: int(0),
	host: text(1, 255),
	startedAt: time,
	/** Bytes of memory that the system counts for it. */
	memory: int(0),
	sockets: int(0),
	/** Rooms that a socket of this process hears. */
	rooms: int(0),
	/** Actors that this process holds in memory. */
	actors: int(0),
	health,
});
export type ProcessState = Infer<typeof processState>;

export const actions = {
	...internal({
		"ops.process": { summary: "Operators: what this process is, and what it carries.", params: {}, answer: processState },
		"ops.rooms": {
			summary: "Operators: the rooms that sockets of this process hear, the fullest first.",
			params: { limit },
			answer: object({ total: int(0), rooms: array(heardRoom, { max: 10_000 }) }),
		},
		"ops.sockets": {
			summary: "Operators: the sockets of this process, or those of some profiles, the oldest first.",
			params: { limit, profileIds: optional(array(uuid)) },
			answer: object({ total: int(0), sockets: array(openSocket, { max: 10_000 }) }),
		},
		"ops.actors": {
			summary: "Operators: what this process holds of a group's actor; null where it holds nothing.",
			params: { groupId: uuid },
			answer: object({ actor: nullable(actorState) }),
		},
		"ops.drain": {
			summary: "Operators: tell this process to leave as SIGTERM would: sockets told to go, work ended, then its exit.",
			params: {},
			answer: object({ leaving: bool }),
		},
	}),
};
