// The gate between the bus and the sockets: who hears which room, and from which seq on. A room here (room.ts) has one
// subscription of the bus, as long as a socket is in it; each of its sockets has a seat (seat.ts) with a cursor. To get in is an
// opening (opening.ts): the room's owner is asked while frames are held back, the answer is sent, and the room goes on from there.
// What it promises: after the answer that opened a room, each later event once, in order, without a gap, or one `pull` and then
// nothing until the client has caught up.
import type { EvictionReason } from "../../../mixins/rooms.ts";
import type { OpenedRoom } from "../../contracts/rooms.ts";
import { Opening, Refusal } from "./opening.ts";
import { Room } from "./room.ts";
import type { GateTools } from "./room.ts";
import { Seat } from "./seat.ts";
import type { Link } from "./seat.ts";

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
		this.#rooms.get(name)?.missed(head);
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

	/** How far the socket has heard the room's log. */
	seqOf(link: Link, room: string): number {
		return this.#rooms.get(room)?.seats.get(link.id)?.seq ?? 0;
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
			{
				answered: (opened) => {
					if (room.has(seat)) seat.answered(opened);
				},
				settle: (settled) => this.#settle(room, seat, settled),
			},
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
			const made: Room = new Room(name, this.#tools, {
				evict: (profileId, reason, seq) => this.#evict(made, profileId, reason, seq),
				removed: (seat) => this.#stand(made, seat),
			});
			room = made;
			this.#rooms.set(name, room);
		}
		let seat = room.seats.get(link.id);
		if (!seat) {
			seat = new Seat(link, name);
			room.seats.set(link.id, seat);
			const rooms = this.#roomsOf.get(link.id) ?? new Set();
			rooms.add(room);
			this.#roomsOf.set(link.id, rooms);
		}
		return { room, seat };
	}

	#stand(room: Room, seat: Seat): void {
		if (!room.has(seat)) return;
		room.seats.delete(seat.link.id);
		seat.stand();
		const rooms = this.#roomsOf.get(seat.link.id);
		rooms?.delete(room);
		if (rooms?.size === 0) this.#roomsOf.delete(seat.link.id);
		if (room.seats.size === 0 && this.#rooms.get(room.name) === room) {
			this.#rooms.delete(room.name);
			room.subscription.close();
		}
	}

	/** From here on the room goes on for this socket. */
	#settle(room: Room, seat: Seat, opening: Opening): void {
		if (room.has(seat)) seat.answered(opening);
		seat.openings.splice(seat.openings.indexOf(opening), 1);
		if (!room.has(seat)) return;
		const outcome = opening.take();
		if (outcome instanceof Refusal && seat.openings.length === 0 && (seat.state === "new" || outcome.final)) this.#stand(room, seat);
		else seat.catchUp(opening);
		if (seat.removed && seat.openings.length === 0) this.#stand(room, seat);
	}

	/** @param seq of the event that removed them: who is here knowing of it was let in again */
	#evict(room: Room, profileId: string | null, reason: EvictionReason, seq: number): void {
		for (const seat of [...room.seats.values()]) {
			if (profileId !== null && seat.link.profileId !== profileId) continue;
			const isBack = profileId !== null && seat.state !== "new" && seat.seq >= seq && !seat.removed;
			// What was said before the removal is theirs to hear, why they were removed too.
			const [first] = seat.openings;
			if (!isBack && first?.wasAnswered && !first.overflowed) for (const frame of first.held) seat.feed(frame);
			for (const opening of seat.openings) opening.removed(profileId === null ? Number.POSITIVE_INFINITY : seq, reason);
			if (isBack) continue;
			// Who is asking to come in hears from the owner whether they may: it may know more than who said this.
			if (seat.openings.some(({ wasAnswered }) => !wasAnswered)) seat.stand();
			else this.#stand(room, seat);
		}
	}
}
