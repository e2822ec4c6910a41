// A room that somebody here is in: one subscription of the bus, and what it brings given to the seats.
import type { EvictionReason, RoomBus, RoomFrame, RoomSubscription } from "../../../mixins/rooms.ts";
import type { Signal } from "../../contracts/socket.ts";
import type { Seat } from "./seat.ts";

export interface GateTools {
	bus: RoomBus;
	/** Says the same to everybody tuned to the room but those named: encoded once. */
	broadcast(room: string, event: "events" | "signal", payload: RoomFrame | Signal, except: string[]): void;
}

export class Room {
	readonly name: string;
	/** By the socket's id. */
	readonly seats = new Map<string, Seat>();
	readonly subscription: RoomSubscription;
	readonly #broadcast: GateTools["broadcast"];

	constructor(name: string, { bus, broadcast }: GateTools, evict: (profileId: string, reason: EvictionReason) => void) {
		this.name = name;
		this.#broadcast = broadcast;
		this.subscription = bus.subscribe(name, {
			frame: (frame) => this.#frame(frame),
			signal: (signal, except) => this.#signal(signal, except),
			evict,
			head: (head) => this.missed(head),
		});
	}

	has(seat: Seat): boolean {
		return this.seats.get(seat.link.id) === seat;
	}

	/** Nothing came after what was lost, so that no gap would show. */
	missed(head: number): void {
		for (const seat of this.seats.values()) seat.missed(head);
	}

	/** Hot: a few comparisons for each socket, one broadcast for all who are exactly where the frame begins. */
	#frame(frame: RoomFrame): void {
		const first = frame.events[0]?.seq;
		const last = frame.events.at(-1)?.seq;
		if (first === undefined || last === undefined) return;
		const except: string[] = [];
		let tuned = 0;
		for (const seat of this.seats.values()) {
			const opening = seat.openings[0];
			if (opening) {
				opening.hold(frame, last);
				if (seat.state === "live") except.push(seat.link.id);
			} else if (seat.state !== "live") {
				// Not tuned in.
			} else if (seat.follows(first, last)) {
				tuned++;
			} else {
				seat.feed(frame);
				except.push(seat.link.id);
			}
		}
		if (tuned > 0) this.#broadcast(this.name, "events", frame, except);
	}

	#signal(signal: Signal, except: string | undefined): void {
		const silent = except === undefined ? [] : [except];
		let heard = 0;
		for (const seat of this.seats.values()) {
			if (seat.state !== "live" || seat.link.id === except) continue;
			if (seat.link.slow()) silent.push(seat.link.id);
			else heard++;
		}
		if (heard > 0) this.#broadcast(this.name, "signal", signal, silent);
	}
}
