// What is found is behind what is said: posting waits for no index. Each room's log is followed, up to a place that is kept with what was
// written; whoever searches has the rest of their rooms brought in first, so that nothing said before is missed.
import { Worker } from "../../../mixins/facts/worker.ts";
import type { LogCarrier, NewEvent } from "../../../mixins/log-carrier.ts";
import type { Db } from "../../../mixins/postgres.ts";
import type { GroupEvent } from "../domain/group.ts";
import { wordsOf } from "../domain/words.ts";
import { toGroupEvent } from "../store/events.ts";
import type { Change, WordIndex } from "../store/words.ts";
import { groupsAfter, lockSearchPlace, moveSearchPlace, searchPlaces } from "../store/words.ts";

/** Events that are brought in at once. */
const PORTION = 500;
/** What a search waits for its rooms (ms). What is further behind than that is found later. */
const PATIENCE_MS = 2_000;
/** What was just said is gathered for so long (ms), and following takes one part in so many of the time: talking goes first. */
const GATHER_MS = 1_000;
const ONE_PART_IN = 10;
const LOOK_EVERY_MS = 60_000;
const ROOMS_AT_ONCE = 500;

/** What a portion of a log does to what is found, the last word on each message; `at` goes on from `since`. */
export function changesOf(rows: readonly NewEvent[], since: string): { changes: Change[]; at: string } {
	const changes = new Map<number, Change>();
	let at = since;
	for (const row of rows) {
		const event: GroupEvent = toGroupEvent(row);
		if (event.type === "message") {
			if (event.at > at) at = event.at;
			// Deleted meanwhile: its text is gone from the log.
			const content = event.message.content as string | null;
			changes.set(row.seq, { seq: row.seq, at, words: content === null ? null : wordsOf(content) });
		} else if (event.type === "edited" || event.type === "deleted") {
			const content = event.type === "edited" ? (event.content as string | null) : null;
			const known = changes.get(event.target);
			changes.set(event.target, { ...known, seq: event.target, words: content === null ? null : wordsOf(content) });
		}
	}
	return { changes: [...changes.values()], at };
}

export interface FollowerOptions {
	db: Db;
	carrier: Pick<LogCarrier, "page" | "heads">;
	index: WordIndex;
	/** Hears what operators should know. */
	report: (text: string, data: object) => void;
}

export class SearchFollower {
	readonly #options: FollowerOptions;
	/** Rooms of which more was said. */
	readonly #said = new Set<string>();
	readonly #worker: Worker;
	/** Up to which group it was looked for rooms that were left behind; null: up to the last. */
	#looked: string | null | undefined;

	constructor(options: FollowerOptions) {
		this.#options = options;
		this.#worker = new Worker({
			work: () => this.#workOnce(),
			atLeastEvery: LOOK_EVERY_MS,
			gather: () => GATHER_MS,
			onError: (error) => options.report("what is said is not found yet", { error: String(error) }),
		});
	}

	/** Begins to follow, first what others have left. */
	start(): void {
		this.#worker.start();
	}

	stop(): Promise<void> {
		return this.#worker.stop();
	}

	/** Something was said in this room. */
	said(room: string): void {
		this.#said.add(room);
		this.#worker.wake();
	}

	/** Brings in what was said in these rooms before now, as long as a search may wait for it. */
	async catchUp(rooms: readonly string[]): Promise<void> {
		const until = performance.now() + PATIENCE_MS;
		const { db, carrier } = this.#options;
		for (let from = 0; from < rooms.length; from += ROOMS_AT_ONCE) {
			const some = rooms.slice(from, from + ROOMS_AT_ONCE);
			const [places, heads] = await Promise.all([searchPlaces(db, some), carrier.heads(some)]);
			for (const [room, head] of heads) {
				for (let place = places.get(room) ?? 0; place < head && performance.now() < until; ) {
					const next = await this.#follow(room);
					if (next <= place) break;
					place = next;
				}
			}
		}
	}

	/** Brings in one portion of a room; answers up to where it is known. */
	async #follow(room: string): Promise<number> {
		const { db, carrier, index } = this.#options;
		return db.tx(async (tx) => {
			const place = await lockSearchPlace(tx, room);
			const rows = await carrier.page(room, place.seq, PORTION);
			const last = rows.at(-1);
			if (!last) return place.seq;
			const { changes, at } = changesOf(rows, place.at);
			await index.write(tx, room, changes);
			await moveSearchPlace(tx, room, last.seq, at);
			return last.seq;
		});
	}

	async #workOnce(): Promise<number | null> {
		const began = performance.now();
		const [room] = this.#said;
		if (room === undefined) {
			if (!(await this.#lookFurther())) return null;
		} else {
			this.#said.delete(room);
			const { db, carrier } = this.#options;
			const before = (await searchPlaces(db, [room])).get(room) ?? 0;
			const after = await this.#follow(room);
			const head = (await carrier.heads([room])).get(room) ?? 0;
			if (after > before && after < head) this.#said.add(room);
		}
		return (performance.now() - began) * (ONE_PART_IN - 1);
	}

	/** Looks through the next groups for what a process has left behind that is no more. False when all were looked at. */
	async #lookFurther(): Promise<boolean> {
		if (this.#looked === null) return false;
		const { db, carrier } = this.#options;
		const rooms = await groupsAfter(db, this.#looked ?? null, ROOMS_AT_ONCE);
		const [places, heads] = await Promise.all([searchPlaces(db, rooms), carrier.heads(rooms)]);
		for (const room of rooms) if ((places.get(room) ?? 0) < (heads.get(room) ?? 0)) this.#said.add(room);
		this.#looked = rooms.length < ROOMS_AT_ONCE ? null : (rooms.at(-1) ?? null);
		return true;
	}
}
