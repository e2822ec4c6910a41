// A room that somebody here is in: one subscription of the bus, and what it brings given to the seats.
import type { EvictionReason, RoomBus, RoomFrame, RoomSubscription } from "../../../mixins/rooms.ts";
import { isRemoval } from "../../contracts/rooms.ts";
import type { Signal } from "../../contracts/socket.ts";
import type { Seat } from "./seat.ts";

export interface GateTools {
	bus: RoomBus;
	/** Has one of the two blocked the other? Then neither hears what the other does. */
	apart(profileId: string, other: string | undefined): boolean;
	/** Says the same to everybody tuned to the room but those named: encoded once. */
	broadcast(room: string, event: "events" | "signal", payload: RoomFrame | Signal, except: string[]): void;
}

interface Listeners {
	evict(profileId: string | null, reason: EvictionReason, seq: number): void;
	removed(seat: Seat): void;
}

/** Who is removed by a frame, and where in it; undefined where nobody is, which is nearly always. */
function removalsIn({ events }: RoomFrame): Map<string, number> | undefined {
	let removals: Map<string, number> | undefined;
	for (const { type, action, profileId, seq } of events) {
		if (type !== "member" || profileId === undefined || !isRemoval(action)) continue;
		removals ??= new Map();
		removals.set(profileId, seq);
	}
	return removals;
}

export class Room {
	readonly name: string;
	/** By the socket's id. */
	readonly seats = new Map<string, Seat>();
	readonly subscription: RoomSubscription;
	readonly #broadcast: GateTools["broadcast"];
	readonly #apart: GateTools["apart"];
	readonly #removed: Listeners["removed"];

	/** @param on `removed`: these have heard that they are out, and nothing after that */
	constructor(name: string, { bus, broadcast, apart }: GateTools, on: Listeners) {
		this.name = name;
		this.#broadcast = broadcast;
		this.#apart = apart;
		this.#removed = on.removed;
		this.subscription = bus.subscribe(name, {
			frame: (frame) => this.#frame(frame),
			signal: (signal, except, seq) => this.#signal(signal, except, seq),
			evict: on.evict,
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
		const out: Seat[] = [];
		const removals = removalsIn(frame);
		let tuned = 0;
		for (const seat of this.seats.values()) {
			const opening = seat.openings[0];
			const removal = removals?.get(seat.link.profileId);
			if (opening) {
				opening.hold(frame, last);
				if (removal !== undefined) for (const each of seat.openings) each.removed(removal, "not-member");
				if (seat.state === "live") except.push(seat.link.id);
			} else if (removal !== undefined && seat.state === "live") {
				seat.feed(frame);
				except.push(seat.link.id);
				if (seat.removed) out.push(seat);
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
		for (const seat of out) this.#removed(seat);
	}

	/** Who has heard less of the log than its sender may have been removed by what comes next: they do not get it. */
	#signal(signal: Signal, except: string | undefined, seq = 0): void {
		const silent = except === undefined ? [] : [except];
		let heard = 0;
		for (const seat of this.seats.values()) {
			if (seat.state !== "live" || seat.link.id === except) continue;
			if (seat.link.slow() || seat.seq < seq || this.#apart(seat.link.profileId, signal.profileId)) silent.push(seat.link.id);
			else heard++;
		}
		if (heard > 0) this.#broadcast(this.name, "signal", signal, silent);
	}
}
