// Who applies the log in MongoDB to PostgreSQL, and when: the process that appended, at once or by its relay; the next owner of a
// room, before it loads it; and a relay for what others left. How it is applied is in applying.ts.
import { Pace } from "../facts/pace.ts";
import { Worker } from "../facts/worker.ts";
import type { Projection } from "../log-carrier.ts";
import { isUnavailable } from "../postgres.ts";
import { Applying, type ApplyingOptions, PORTION } from "./applying.ts";
import type { Query } from "./driver.ts";
import type { Ask, EventDocument } from "./events.ts";
import { toEntry } from "./events.ts";

/** How many of its own the relay keeps in mind; what is more it finds in the log. */
const MOST_KEPT = 10_000;
/** So often (ms) it looks for what others left: what is younger than that is still in somebody's hands. */
const LOOK_EVERY_MS = 5_000;
const LEFT_AFTER_MS = 2_000;
/** A room whose events cannot be applied is tried again after so long (ms). */
const STUCK_MS = 30_000;
/** Names that can be used once are kept so long: an Idempotency-Key is forgotten after it too. */
const KEEP_ONCE_MS = 48 * 3_600_000;
const SWEEP_EVERY_MS = 3_600_000;

export interface ApplierOptions<Deed> extends ApplyingOptions<Deed> {
	/** Hears what operators should know. */
	report: (text: string, data: object) => void;
}

export class Applier<Deed> {
	readonly #ask: Ask<Deed>;
	readonly #projection: Projection<Deed>;
	readonly #report: (text: string, data: object) => void;
	readonly #applying: Applying<Deed>;
	readonly #relay: Worker;
	readonly #pace = new Pace();
	/** What this process has appended, and the relay has not applied yet. */
	#kept: EventDocument<Deed>[] = [];
	/** There may be more in the log than is kept here. */
	#behind = true;
	#lookedAt = Number.NEGATIVE_INFINITY;
	#sweptAt = Number.NEGATIVE_INFINITY;
	readonly #stuck = new Map<string, number>();

	constructor(options: ApplierOptions<Deed>) {
		const { ask, projection, report } = options;
		this.#ask = ask;
		this.#projection = projection;
		this.#report = report;
		this.#applying = new Applying(options, {
			carried: (count) => this.#pace.carried(count),
			unsettled: () => {
				this.#behind = true;
			},
		});
		this.#relay = new Worker({
			work: () => this.#relayOnce(),
			atLeastEvery: LOOK_EVERY_MS,
			gather: () => this.#pace.gather(),
			onError: (error) => report("what comes of events waits", { error: String(error) }),
		});
	}

	/** Begins to apply what is pending. A tool leaves it to a running process. */
	start(): void {
		this.#relay.start();
	}

	/** What is still pending stays so in the log. */
	stop(): Promise<void> {
		return this.#relay.stop();
	}

	/** Just appended: applied at once where rows come of it, so that whoever asks next sees them; else when the relay comes to it. */
	async appended(documents: EventDocument<Deed>[]): Promise<void> {
		if (!documents.some((document) => this.#projection.concerns(toEntry(document)))) {
			if (this.#kept.length < MOST_KEPT) this.#kept.push(...documents);
			else this.#behind = true;
			this.#relay.wake();
			return;
		}
		try {
			// After a trouble much may lie before them: that is applied portion by portion.
			if (this.#behind) for (const room of new Set(documents.map((document) => document.room))) await this.#applying.catchUp(room);
			await this.#applying.apply(documents);
		} catch (error) {
			// It is committed, and will be applied: by the relay, or by whoever loads the room before.
			this.#behind = true;
			this.#relay.wake();
			throw error;
		}
	}

	/** Applies what a room has and PostgreSQL has not. */
	catchUp(room: string): Promise<void> {
		return this.#applying.catchUp(room);
	}

	/** Applies what was appended here; now and then, and after any trouble, what was left in the log by anybody. */
	async #relayOnce(): Promise<number | null> {
		const look = this.#behind || performance.now() - this.#lookedAt >= LOOK_EVERY_MS;
		const documents = look ? await this.#left() : this.#kept.splice(0, PORTION);
		if (documents.length > 0) await this.#applyOrPart(documents);
		if (look) await this.#sweep();
		return this.#kept.length > 0 || this.#behind ? 0 : null;
	}

	async #left(): Promise<EventDocument<Deed>[]> {
		const now = Date.now();
		for (const [room, until] of this.#stuck) if (until < now) this.#stuck.delete(room);
		const query: Query = { pending: true, room: { $nin: [...this.#stuck.keys()] } };
		if (!this.#behind) query.at = { $lt: new Date(now - LEFT_AFTER_MS) };
		const found = await this.#ask((events) => events.find(query).sort({ at: 1 }).limit(PORTION).toArray());
		this.#behind = found.length === PORTION;
		this.#lookedAt = performance.now();
		return found;
	}

	/** One room whose events cannot be applied holds up no other. */
	async #applyOrPart(documents: EventDocument<Deed>[]): Promise<void> {
		try {
			await this.#applying.apply(documents);
		} catch (error) {
			this.#behind = true;
			if (isUnavailable(error)) throw error;
			for (const [room, own] of Map.groupBy(documents, (document) => document.room)) {
				try {
					await this.#applying.apply(own);
				} catch (cause) {
					if (isUnavailable(cause)) throw cause;
					this.#stuck.set(room, Date.now() + STUCK_MS);
					this.#report("what comes of a room's events cannot be written", { room, error: String(cause) });
				}
			}
		}
	}

	async #sweep(): Promise<void> {
		if (performance.now() - this.#sweptAt < SWEEP_EVERY_MS) return;
		this.#sweptAt = performance.now();
		const old = { once: { $exists: true }, at: { $lt: new Date(Date.now() - KEEP_ONCE_MS) } };
		await this.#ask((events) => events.updateMany(old, { $unset: { once: "" } }));
	}
}
