// One join or resume of one room, from the question to the room's owner until the room goes on for the socket.
import type { EvictionReason, RoomFrame } from "../../../mixins/rooms.ts";
import type { OpenedRoom } from "../../contracts/rooms.ts";

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
	#removal: { seq: number; evicted: EvictionReason } = { seq: 0, evicted: "not-member" };
	wasAnswered = false;
	held: RoomFrame[] = [];
	#count = 0;
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

	/**
	 * Its profile was removed by the event `seq`: an answer given before that is a refusal now. Where the owner has let it in knowing of
	 * that event, it is in again.
	 */
	removed(seq: number, evicted: EvictionReason): void {
		if (seq > this.#removal.seq || evicted === "not-found") this.#removal = { seq: Math.max(seq, this.#removal.seq), evicted };
	}

	/** More came than is kept: only how far it went is known. */
	get overflowed(): boolean {
		return this.#count > HELD_EVENTS;
	}

	hold(frame: RoomFrame, head: number): void {
		this.heldHead = head;
		this.#count += frame.events.length;
		if (this.overflowed) this.held = [];
		else this.held.push(frame);
	}

	/** The log is known to go on to here, whatever was heard of it. */
	missed(head: number): void {
		this.missedHead = Math.max(this.missedHead, head);
	}

	/** Takes over what an earlier opening of the same seat held back. */
	inherit(earlier: Opening): void {
		this.held = [...earlier.held, ...this.held];
		this.#count += earlier.#count;
		this.heldHead = Math.max(this.heldHead, earlier.heldHead);
		this.missedHead = Math.max(this.missedHead, earlier.missedHead);
		if (this.overflowed) this.held = [];
	}

	/** What to answer; only after `ready`. Where the answer was cut short, give what is really sent to `replace`. */
	take(): OpenedRoom | Refusal {
		if (!this.#outcome) throw new Error("An opening was taken before it was ready.");
		const { seq, evicted } = this.#removal;
		// What was answered is answered: what is held back ends with the removal (seat.ts).
		if (this.#outcome instanceof Refusal || this.wasAnswered || this.#outcome.head >= seq) return this.#outcome;
		return new Refusal(undefined, { final: true, evicted });
	}

	/** The answer sent is not the one that was asked for: fewer events. */
	replace(opened: OpenedRoom): void {
		this.#outcome = opened;
	}

	/** The answer is on its way: the socket is in the room, and its events wait until `settle()`. */
	answered(): void {
		// What was refused stays refused.
		this.#outcome = this.take();
		this.wasAnswered = true;
		this.#answered(this);
	}

	settle(): void {
		this.#settle(this);
		this.#finish();
	}
}
