// The bus between the owners of rooms and the doors: log frames, signals, evictions. It keeps nothing: what it loses, a
// door notices by the missing seq and asks the log. A carrier moves the messages; here is the one for a single process.
import type { LogEvent } from "../services/contracts/rooms.ts";
import type { Signal } from "../services/contracts/socket.ts";
import type { Nats } from "./nats.ts";
import { NAMESPACE, natsOf } from "./nats.ts";
import { perBroker } from "./per-broker.ts";

/** What was committed together: events of one room with consecutive seqs, ascending, never empty. */
export interface RoomFrame {
	room: string;
	events: LogEvent[];
}

/** Why a profile may hear a room no more: the code of the problem that its pending requests get. */
export type EvictionReason = "not-member" | "not-found";

export type RoomMessage =
	| { kind: "frame"; frame: RoomFrame }
	| { kind: "signal"; signal: Signal; except: string | undefined; seq?: number | undefined }
	| { kind: "evict"; profileId: string | null; reason: EvictionReason; seq: number }
	| { kind: "head"; head: number };

/** Moves messages of a room to whoever listens, in the order in which one publisher gave them. It may lose some. */
export interface RoomCarrier {
	publish(room: string, message: RoomMessage): void;
	subscribe(room: string, hear: (message: RoomMessage) => void): RoomSubscription;
}

export interface RoomSubscription {
	/** Resolves when everything published from now on will be heard: open the log only after it. */
	ready: Promise<void>;
	close(): void;
}

export interface RoomListener {
	frame(frame: RoomFrame): void;
	/** `except` names the socket that the signal must not go back to; `seq`: how far its sender had heard the room's log. */
	signal(signal: Signal, except: string | undefined, seq: number | undefined): void;
	/** Who was removed by the event `seq`; null: everybody. */
	evict(profileId: string | null, reason: EvictionReason, seq: number): void;
	/** The room's log ends here: what came before and was not heard was lost on its way. */
	head(head: number): void;
}

export interface RoomBus {
	/** To be called after the commit, in the order of the seqs. */
	publish(frame: RoomFrame): void;
	/** @param seq how far its sender has heard the room's log: who has heard less, and may have been removed meanwhile, does not get it */
	signal(room: string, signal: Signal, except?: string, seq?: number): void;
	/**
	 * The profile is no member any more since the event `seq`; null: nobody is. Publish it before any frame that the profile must not hear.
	 * Who was let in again after that stays.
	 */
	evict(room: string, profileId: string | null, reason: EvictionReason, seq: number): void;
	/** Says again how far a log is, for those who may have missed its last frame. */
	remind(room: string, head: number): void;
	subscribe(room: string, listener: RoomListener): RoomSubscription;
}

const DELIVERED = Promise.resolve();

/**
 * The carrier of one process: delivers before `publish` returns, so that nothing said before an answer comes after it.
 * What is published while a room is being served waits its turn, so that every listener hears one order.
 */
export function localCarrier(onError: (error: unknown) => void): RoomCarrier {
	const rooms = new Map<string, { listeners: Set<(message: RoomMessage) => void>; waiting: RoomMessage[]; busy: boolean }>();
	return {
		publish(name, message) {
			const room = rooms.get(name);
			if (!room) return;
			room.waiting.push(message);
			if (room.busy) return;
			room.busy = true;
			for (let next = room.waiting.shift(); next; next = room.waiting.shift()) {
				for (const hear of room.listeners) {
					try {
						hear(next);
					} catch (error) {
						onError(error);
					}
				}
			}
			room.busy = false;
		},
		subscribe(name, hear) {
			const room = rooms.get(name) ?? { listeners: new Set(), waiting: [], busy: false };
			rooms.set(name, room);
			room.listeners.add(hear);
			return {
				ready: DELIVERED,
				close() {
					room.listeners.delete(hear);
					if (room.listeners.size === 0 && rooms.get(name) === room) rooms.delete(name);
				},
			};
		},
	};
}

/** Bytes of one message, about: far below what any NATS server takes. What is larger goes in several. */
const MESSAGE_BYTES = 400_000;

/** A room's name as one word of a subject: dots, spaces and wildcards have a meaning there. */
const subjectOf = (room: string): string =>
	`${NAMESPACE}.rooms.${room.replace(/[^A-Za-z0-9:_-]/g, (sign) => `=${sign.codePointAt(0)?.toString(16)}=`)}`;

/** A frame in portions that NATS takes. */
function* portions(message: RoomMessage): Iterable<string> {
	const whole = JSON.stringify(message);
	if (message.kind !== "frame" || whole.length <= MESSAGE_BYTES / 3 || Buffer.byteLength(whole) <= MESSAGE_BYTES) return yield whole;
	const { room, events } = message.frame;
	const half = Math.ceil(events.length / 2);
	if (events.length === 1) return yield whole;
	yield* portions({ kind: "frame", frame: { room, events: events.slice(0, half) } });
	yield* portions({ kind: "frame", frame: { room, events: events.slice(half) } });
}

/**
 * The carrier of a cluster: one subject per room, so that a message reaches the processes that hear the room and no others.
 * What a process says itself comes back to it the same way: everybody hears one publisher in one order.
 */
export function natsCarrier(nats: Nats, onError: (error: unknown) => void): RoomCarrier {
	const { connection } = nats;
	return {
		publish(room, message) {
			// While NATS is away nobody can hear it; whoever is back asks how far the log is.
			if (!nats.connected) return;
			const subject = subjectOf(room);
			for (const portion of portions(message)) connection.publish(subject, portion);
		},
		subscribe(room, hear) {
			const subscription = connection.subscribe(subjectOf(room), {
				callback(error, message) {
					if (error) return onError(error);
					try {
						hear(message.json<RoomMessage>());
					} catch (failed) {
						onError(failed);
					}
				},
			});
			// The server answers when it knows of the subscription.
			const ready = connection.flush();
			ready.catch(() => {});
			return { ready, close: () => subscription.unsubscribe() };
		},
	};
}

export function makeRoomBus(carrier: RoomCarrier): RoomBus {
	return {
		publish: (frame) => carrier.publish(frame.room, { kind: "frame", frame }),
		signal: (room, signal, except, seq) => carrier.publish(room, { kind: "signal", signal, except, seq }),
		evict: (room, profileId, reason, seq) => carrier.publish(room, { kind: "evict", profileId, reason, seq }),
		remind: (room, head) => carrier.publish(room, { kind: "head", head }),
		subscribe: (room, listener) =>
			carrier.subscribe(room, (message) => {
				switch (message.kind) {
					case "frame":
						return listener.frame(message.frame);
					case "signal":
						return listener.signal(message.signal, message.except, message.seq);
					case "evict":
						return listener.evict(message.profileId, message.reason, message.seq);
					case "head":
						return listener.head(message.head);
					default:
						return message satisfies never;
				}
			}),
	};
}

/** The bus of this process's broker; the same one for every service on it. */
export const roomBus = perBroker((broker) => {
	const logger = broker.getLogger("rooms");
	const onError = (error: unknown) => logger.error("A listener of a room failed.", error);
	const nats = natsOf(broker);
	return makeRoomBus(nats ? natsCarrier(nats, onError) : localCarrier(onError));
});
