// The bus between the owners of rooms and the doors: log frames, signals, evictions. It keeps nothing: what it loses, a
// door notices by the missing seq and asks the log. A carrier moves the messages; here is the one for a single process.
import type { LogEvent } from "../services/contracts/groups.ts";
import type { Signal } from "../services/contracts/socket.ts";
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
	| { kind: "signal"; signal: Signal; except: string | undefined }
	| { kind: "evict"; profileId: string; reason: EvictionReason };

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
	/** `except` names the socket that the signal must not go back to. */
	signal(signal: Signal, except: string | undefined): void;
	evict(profileId: string, reason: EvictionReason): void;
}

export interface RoomBus {
	/** To be called after the commit, in the order of the seqs. */
	publish(frame: RoomFrame): void;
	signal(room: string, signal: Signal, except?: string): void;
	/** The profile is no member any more. Publish it before any frame that the profile must not hear. */
	evict(room: string, profileId: string, reason: EvictionReason): void;
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

export function makeRoomBus(carrier: RoomCarrier): RoomBus {
	return {
		publish: (frame) => carrier.publish(frame.room, { kind: "frame", frame }),
		signal: (room, signal, except) => carrier.publish(room, { kind: "signal", signal, except }),
		evict: (room, profileId, reason) => carrier.publish(room, { kind: "evict", profileId, reason }),
		subscribe: (room, listener) =>
			carrier.subscribe(room, (message) => {
				switch (message.kind) {
					case "frame":
						return listener.frame(message.frame);
					case "signal":
						return listener.signal(message.signal, message.except);
					case "evict":
						return listener.evict(message.profileId, message.reason);
					default:
						return message satisfies never;
				}
			}),
	};
}

/** The bus of this process's broker; the same one for every service on it. */
export const roomBus = perBroker((broker) => {
	const logger = broker.getLogger("rooms");
	return makeRoomBus(localCarrier((error) => logger.error("A listener of a room failed.", error)));
});
