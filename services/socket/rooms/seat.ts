// A socket's seat in a room: how far it has heard, and what it is told next.
import type { RoomFrame } from "../../../mixins/rooms.ts";
import { isRemoval } from "../../contracts/rooms.ts";
import { Refusal } from "./opening.ts";
import type { Opening } from "./opening.ts";

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

/** Where in a frame a profile is removed from the room, after a seq; the last time. */
export function removalIn({ events }: RoomFrame, profileId: string, after: number): number | undefined {
	return events.findLast(
		(event) => event.seq > after && event.type === "member" && event.profileId === profileId && isRemoval(event.action),
	)?.seq;
}

export class Seat {
	readonly link: Link;
	readonly #room: string;
	/** `live`: has all up to `seq` and hears what follows; `behind`: was told to ask; `new`: never opened yet, or left. */
	#state: "live" | "behind" | "new" = "new";
	#seq = 0;
	#removed = false;
	/** What is being answered, the present one first. Frames wait for it. */
	readonly openings: Opening[] = [];

	constructor(link: Link, room: string) {
		this.link = link;
		this.#room = room;
	}

	get state(): "live" | "behind" | "new" {
		return this.#state;
	}

	/** How far it has heard. */
	get seq(): number {
		return this.#seq;
	}

	/** It heard of its own removal: nothing after that is for it. */
	get removed(): boolean {
		return this.#removed;
	}

	/** It left the room. */
	stand(): void {
		if (this.#state === "live") this.link.tune(this.#room, false);
		this.#state = "new";
	}

	/** The socket is in the room up to what it was answered. */
	answered(opening: Opening): void {
		const outcome = opening.take();
		if (outcome instanceof Refusal) return;
		if (outcome.more) return this.#become("behind");
		this.#seq = Math.max(outcome.head, outcome.events.at(-1)?.seq ?? 0);
		this.#removed = false;
		this.#become("live");
	}

	/** What was held back while the answer was under way. */
	catchUp(opening: Opening): void {
		const [next] = this.openings;
		// The next answer of this seat is under way already: what waits goes on waiting.
		if (next) return next.inherit(opening);
		if (this.#state !== "live" || Math.max(opening.heldHead, opening.missedHead) <= this.#seq) return;
		if (opening.overflowed) return this.#fallBehind(opening.heldHead);
		for (const frame of opening.held) this.feed(frame);
		if (opening.missedHead > this.#seq) this.#fallBehind(opening.missedHead);
	}

	/** Exactly where a frame begins, and quick enough: it takes part in what is said to all, and has heard the frame then. */
	follows(first: number, last: number): boolean {
		if (this.#seq !== first - 1 || this.link.slow()) return false;
		this.#seq = last;
		return true;
	}

	/** Gives one live seat what of a frame it has not had; of what removes it, and nothing after that. */
	feed(whole: RoomFrame): void {
		if (this.#removed) return;
		const removal = removalIn(whole, this.link.profileId, this.#seq);
		const frame = removal === undefined ? whole : { room: whole.room, events: whole.events.filter(({ seq }) => seq <= removal) };
		const first = frame.events[0]?.seq ?? 0;
		const last = frame.events.at(-1)?.seq ?? 0;
		if (this.#state !== "live" || last <= this.#seq) return;
		if (first > this.#seq + 1 || this.link.slow()) return this.#fallBehind(last);
		const seq = this.#seq;
		this.#seq = last;
		this.link.send("events", first > seq ? frame : { room: this.#room, events: frame.events.filter((event) => event.seq > seq) });
		this.#removed = removal !== undefined;
	}

	/** The log is known to go on to here. */
	missed(head: number): void {
		const [opening] = this.openings;
		if (opening) opening.missed(head);
		else if (this.#state === "live" && this.#seq < head) this.#fallBehind(head);
	}

	#fallBehind(head: number): void {
		this.#become("behind");
		this.link.send("pull", { room: this.#room, head });
	}

	#become(state: "live" | "behind"): void {
		if ((this.#state === "live") !== (state === "live")) this.link.tune(this.#room, state === "live");
		this.#state = state;
	}
}
