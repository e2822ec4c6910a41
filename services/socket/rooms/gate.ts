// Who hears which room, and from which seq on. One subscription of the bus per room, as long as somebody here is in it;
// per socket and room a seat with a cursor. What it promises: after the answer that opened a room, each later event once,
// in order, without a gap, or one `pull` and then nothing until the client has caught up.
import type { OpenedRoom } from "../../contracts/rooms.ts";
import type { Signal } from "../../contracts/socket.ts";
import type { EvictionReason, RoomBus, RoomFrame, RoomSubscription } from "../../../mixins/rooms.ts";

/** A socket as the gate sees it. */
export interface Link {
	readonly id: string;
	readonly profileId: string;
	/** Has more waiting to be sent than it may. */
	slow(): boolean;
	send(event: "events", frame: RoomFrame): void;
	send(event: "pull", pull: { room: string; head: number }): void;
	/** Takes part, or no longer, in what `broadcast` says to the room. */
	tune(room: string, on: boolean): void;
}

export interface GateTools {
	bus: RoomBus;
	/** Says the same to everybody tuned to the room but those named: encoded once. */
	broadcast(room: string, event: "events" | "signal", payload: RoomFrame | Signal, except: string[]): void;
}

/** Why an opening came to nothing: thrown by the one who opens, or an eviction meanwhile. */
export class Refusal {
	readonly error: unknown;
	readonly evicted: EvictionReason | undefined;
	/** True when the room is not for this profile (any more), so that an older seat must go too. */
	readonly final: boolean;
	constructor(error: unknown, { final, evicted }: { final: boolean; evicted?: EvictionReason }) {
		this.error = error;
		this.final = final;
		this.evicted = evicted;
	}
}

/** A seat is `live` (has all up to `seq` and hears what follows), `behind` (was told to ask), or `new` (never opened yet). */
interface Seat {
	readonly link: Link;
	state: "live" | "behind" | "new";
	seq: number;
	/** What is being answered, the present one first. Frames wait for it. */
	readonly openings: Opening[];
}

interface Room {
	readonly name: string;
	readonly seats: Map<string, Seat>;
	subscription: RoomSubscription;
}

/** Frames that come while an answer is under way wait for it; more than this many events and the client has to pull. */
const HELD_EVENTS = 1000;

/**
 * One join or resume of one room. First `ready` is awaited; then, in one go without any await, `take()` says what to answer
 * and the answer is sent; at last `settle()` lets the room go on. Until then the room is held back for this socket.
 */
export class Opening {
	readonly ready: Promise<void>;
	readonly #settle: (opening: Opening) => void;
	readonly #answered: (opening: Opening) => void;
	/** Lets the next opening of the same seat begin. */
	readonly done: Promise<void>;
	#finish!: () => void;
	#outcome: OpenedRoom | Refusal | undefined;
	wasAnswered = false;
	held: RoomFrame[] = [];
	heldCount = 0;
	/** The highest seq heard of while holding; needed when too much was held to keep it. */
	heldHead = 0;
	/** Where the log was said to end meanwhile. */
	missedHead = 0;

	constructor(run: () => Promise<OpenedRoom | Refusal>, on: { answered(opening: Opening): void; settle(opening: Opening): void }) {
		this.#answered = on.answered;
		this.#settle = on.settle;
		this.done = new Promise((resolve) => {
			this.#finish = resolve;
		});
		this.ready = run()
			.catch((error) => new Refusal(error, { final: false }))
			.then((outcome) => {
				this.#outcome ??= outcome;
			});
	}

	/** The socket may not hear this room any more: whatever the answer was going to be, it is a refusal now. */
	cancel(refusal: Refusal): void {
		this.#outcome = refusal;
	}

	hold(frame: RoomFrame, head: number): void {
		this.heldHead = head;
		this.heldCount += frame.events.length;
		if (this.heldCount > HELD_EVENTS) this.held = [];
		else this.held.push(frame);
	}

	/** The log is known to go on to here, whatever was heard of it. */
	missed(head: number): void {
		this.missedHead = Math.max(this.missedHead, head);
	}

	/** Takes over what an earlier opening of the same seat held back. */
	inherit(earlier: Opening): void {
		this.held = [...earlier.held, ...this.held];
		this.heldCount += earlier.heldCount;
		this.heldHead = Math.max(this.heldHead, earlier.heldHead);
		this.missedHead = Math.max(this.missedHead, earlier.missedHead);
		if (this.heldCount > HELD_EVENTS) this.held = [];
	}

	/** What to answer; only after `ready`. Where the answer was cut short, give what is really sent to `replace`. */
	take(): OpenedRoom | Refusal {
		if (!this.#outcome) throw new Error("An opening was taken before it was ready.");
		return this.#outcome;
	}

	/** The answer sent is not the one that was asked for: fewer events. */
	replace(opened: OpenedRoom): void {
		this.#outcome = opened;
	}

	/** The answer is on its way: the socket is in the room, and its events wait until `settle()`. */
	answered(): void {
		this.wasAnswered = true;
		this.#answered(this);
	}

	settle(): void {
		this.#settle(this);
		this.#finish();
	}
}

export class RoomGate {
	readonly #tools: GateTools;
	readonly #rooms = new Map<string, Room>();
	readonly #roomsOf = new Map<string, Set<Room>>();

	constructor(tools: GateTools) {
		this.#tools = tools;
	}

	/** Rooms with a subscription, for the metrics. */
	get size(): number {
		return this.#rooms.size;
	}

	/** The rooms somebody here is in. */
	rooms(): string[] {
		return [...this.#rooms.keys()];
	}

	/** A room's log is known to end at `head`: whoever has heard less has missed something. */
	remind(name: string, head: number): void {
		const room = this.#rooms.get(name);
		if (room) this.#head(room, head);
	}

	/** Every room with how many sockets are in it. */
	*heard(): Generator<{ room: string; sockets: number }> {
		for (const { name, seats } of this.#rooms.values()) yield { room: name, sockets: seats.size };
	}

	/** In how many rooms a socket is. */
	count(link: Link): number {
		return this.#roomsOf.get(link.id)?.size ?? 0;
	}

	/** Is the socket in the room (also while it is behind)? */
	has(link: Link, room: string): boolean {
		const seat = this.#rooms.get(room)?.seats.get(link.id);
		return seat !== undefined && seat.state !== "new";
	}

	/** Begins to open a room for a socket; `ask` gets what the room's owner answers. Openings of one seat wait for another. */
	open(link: Link, name: string, ask: () => Promise<OpenedRoom | Refusal>): Opening {
		const { room, seat } = this.#sit(link, name);
		const before = seat.openings.at(-1);
		const opening: Opening = new Opening(
			async () => {
				await before?.done;
				await room.subscription.ready;
				return ask();
			},
			{ answered: (opened) => this.#answered(room, seat, opened), settle: (settled) => this.#settle(room, seat, settled) },
		);
		seat.openings.push(opening);
		return opening;
	}

	/** Takes the socket out of the room once what it asked for before is answered. */
	async leave(link: Link, name: string): Promise<void> {
		const room = this.#rooms.get(name);
		const seat = room?.seats.get(link.id);
		if (!room || !seat) return;
		await seat.openings.at(-1)?.done;
		this.#stand(room, seat);
	}

	/** The socket is gone: out of every room at once. */
	forget(link: Link): void {
		for (const room of [...(this.#roomsOf.get(link.id) ?? [])]) {
			const seat = room.seats.get(link.id);
			if (seat) this.#stand(room, seat);
		}
	}

	#sit(link: Link, name: string): { room: Room; seat: Seat } {
		let room = this.#rooms.get(name);
		if (!room) {
			const made: Room = { name, seats: new Map(), subscription: undefined as unknown as RoomSubscription };
			made.subscription = this.#tools.bus.subscribe(name, {
				frame: (frame) => this.#frame(made, frame),
				signal: (signal, except) => this.#signal(made, signal, except),
				evict: (profileId, reason) => this.#evict(made, profileId, reason),
				head: (head) => this.#head(made, head),
			});
			room = made;
			this.#rooms.set(name, room);
		}
		let seat = room.seats.get(link.id);
		if (!seat) {
			seat = { link, state: "new", seq: 0, openings: [] };
			room.seats.set(link.id, seat);
			const rooms = this.#roomsOf.get(link.id) ?? new Set();
			rooms.add(room);
			this.#roomsOf.set(link.id, rooms);
		}
		return { room, seat };
	}

	#stand(room: Room, seat: Seat): void {
		if (room.seats.get(seat.link.id) !== seat) return;
		room.seats.delete(seat.link.id);
		if (seat.state === "live") seat.link.tune(room.name, false);
		seat.state = "new";
		const rooms = this.#roomsOf.get(seat.link.id);
		rooms?.delete(room);
		if (rooms?.size === 0) this.#roomsOf.delete(seat.link.id);
		if (room.seats.size === 0 && this.#rooms.get(room.name) === room) {
			this.#rooms.delete(room.name);
			room.subscription.close();
		}
	}

	/** The socket is in the room up to what it was answered. */
	#answered(room: Room, seat: Seat, opening: Opening): void {
		const outcome = opening.take();
		if (outcome instanceof Refusal || room.seats.get(seat.link.id) !== seat) return;
		if (outcome.more) return this.#become(room, seat, "behind");
		seat.seq = Math.max(outcome.head, outcome.events.at(-1)?.seq ?? 0);
		this.#become(room, seat, "live");
	}

	/** From here on the room goes on for this socket. */
	#settle(room: Room, seat: Seat, opening: Opening): void {
		this.#answered(room, seat, opening);
		seat.openings.splice(seat.openings.indexOf(opening), 1);
		if (room.seats.get(seat.link.id) !== seat) return;
		const outcome = opening.take();
		if (outcome instanceof Refusal && seat.openings.length === 0 && (seat.state === "new" || outcome.final)) return this.#stand(room, seat);
		this.#catchUp(room, seat, opening);
	}

	/** What was held back while the answer was under way. */
	#catchUp(room: Room, seat: Seat, opening: Opening): void {
		const [next] = seat.openings;
		// The next answer of this seat is under way already: what waits goes on waiting.
		if (next) return next.inherit(opening);
		if (seat.state !== "live" || Math.max(opening.heldHead, opening.missedHead) <= seat.seq) return;
		if (opening.heldCount > HELD_EVENTS) return this.#fallBehind(room, seat, opening.heldHead);
		for (const frame of opening.held) this.#feed(room, seat, frame);
		if (opening.missedHead > seat.seq) this.#fallBehind(room, seat, opening.missedHead);
	}

	/** Hot: a few comparisons for each socket, one broadcast for all who are exactly where the frame begins. */
	#frame(room: Room, frame: RoomFrame): void {
		const first = frame.events[0]?.seq;
		const last = frame.events.at(-1)?.seq;
		if (first === undefined || last === undefined) return;
		const except: string[] = [];
		let tuned = 0;
		for (const seat of room.seats.values()) {
			const opening = seat.openings[0];
			if (opening) {
				opening.hold(frame, last);
				if (seat.state === "live") except.push(seat.link.id);
			} else if (seat.state !== "live") {
				// Not tuned in.
			} else if (seat.seq === first - 1 && !seat.link.slow()) {
				seat.seq = last;
				tuned++;
			} else {
				this.#feed(room, seat, frame);
				except.push(seat.link.id);
			}
		}
		if (tuned > 0) this.#tools.broadcast(room.name, "events", frame, except);
	}

	/** Gives one live seat what of a frame it has not had. */
	#feed(room: Room, seat: Seat, frame: RoomFrame): void {
		const first = frame.events[0]?.seq ?? 0;
		const last = frame.events.at(-1)?.seq ?? 0;
		if (seat.state !== "live" || last <= seat.seq) return;
		if (first > seat.seq + 1 || seat.link.slow()) return this.#fallBehind(room, seat, last);
		const { seq } = seat;
		seat.seq = last;
		seat.link.send("events", first > seq ? frame : { room: room.name, events: frame.events.filter((event) => event.seq > seq) });
	}

	/** Nothing came after what was lost, so that no gap would show. */
	#head(room: Room, head: number): void {
		for (const seat of room.seats.values()) {
			const [opening] = seat.openings;
			if (opening) opening.missed(head);
			else if (seat.state === "live" && seat.seq < head) this.#fallBehind(room, seat, head);
		}
	}

	#fallBehind(room: Room, seat: Seat, head: number): void {
		this.#become(room, seat, "behind");
		seat.link.send("pull", { room: room.name, head });
	}

	#become(room: Room, seat: Seat, state: "live" | "behind"): void {
		if ((seat.state === "live") !== (state === "live")) seat.link.tune(room.name, state === "live");
		seat.state = state;
	}

	#signal(room: Room, signal: Signal, except: string | undefined): void {
		const silent = except === undefined ? [] : [except];
		let heard = 0;
		for (const seat of room.seats.values()) {
			if (seat.state !== "live" || seat.link.id === except) continue;
			if (seat.link.slow()) silent.push(seat.link.id);
			else heard++;
		}
		if (heard > 0) this.#tools.broadcast(room.name, "signal", signal, silent);
	}

	#evict(room: Room, profileId: string, reason: EvictionReason): void {
		for (const seat of [...room.seats.values()]) {
			if (seat.link.profileId !== profileId) continue;
			// What was said before the removal is theirs to hear, why they were removed too.
			const [answered] = seat.openings;
			if (answered?.wasAnswered && answered.heldCount <= HELD_EVENTS) for (const frame of answered.held) this.#feed(room, seat, frame);
			for (const opening of seat.openings) opening.cancel(new Refusal(undefined, { final: true, evicted: reason }));
			this.#stand(room, seat);
		}
	}
}
