// What comes of the events of a log in MongoDB, applied to PostgreSQL in the order of each log, once, whoever does it: the process
// that appended them, the next owner of the room, or a relay. `log_applied` says how far it came, and moves in the same transaction.
import { outboxInsert } from "../facts/outbox.ts";
import { Pace } from "../facts/pace.ts";
import { Worker } from "../facts/worker.ts";
import type { Erasure, Projection } from "../log-carrier.ts";
import type { Query } from "./mongo.ts";
import type { Ask, EventDocument } from "./events.ts";
import { inOrder, toEntry, toEvent } from "./events.ts";
import type { Db, Tx } from "../postgres.ts";
import { isUnavailable } from "../postgres.ts";

/** Documents that are applied in one transaction. */
const PORTION = 500;
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

export interface ApplierOptions<Deed> {
	ask: Ask<Deed>;
	/** The node's own database. */
	db: Db;
	projection: Projection<Deed>;
	/** Hears what operators should know. */
	report: (text: string, data: object) => void;
}

export class Applier<Deed> {
	readonly #ask: Ask<Deed>;
	readonly #db: Db;
	readonly #projection: Projection<Deed>;
	readonly #report: (text: string, data: object) => void;
	readonly #relay: Worker;
	readonly #pace = new Pace();
	/** What this process has appended, and the relay has not applied yet. */
	#kept: EventDocument<Deed>[] = [];
	/** There may be more in the log than is kept here. */
	#behind = true;
	#lookedAt = Number.NEGATIVE_INFINITY;
	#sweptAt = Number.NEGATIVE_INFINITY;
	readonly #stuck = new Map<string, number>();

	constructor({ ask, db, projection, report }: ApplierOptions<Deed>) {
		this.#ask = ask;
		this.#db = db;
		this.#projection = projection;
		this.#report = report;
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
			if (this.#behind) for (const room of new Set(documents.map((document) => document.room))) await this.catchUp(room);
			await this.#apply(documents);
		} catch (error) {
			// It is committed, and will be applied: by the relay, or by whoever loads the room before.
			this.#behind = true;
			this.#relay.wake();
			throw error;
		}
	}

	/** Applies what a room has and PostgreSQL has not. */
	async catchUp(room: string): Promise<void> {
		for (let more = true; more; ) {
			const [place] = await this.#db.query<{ seq: number }>("select seq from log_applied where room = $1", [room], "log-applied");
			const query = { room, seq: { $gt: place?.seq ?? 0 } };
			const documents = await this.#ask((events) => events.find(query).sort(inOrder).limit(PORTION).toArray());
			if (documents.length > 0) await this.#apply(documents);
			more = documents.length === PORTION;
		}
	}

	/** Does what comes of these events, and of those before them in their rooms; what was done already is left out. */
	async #apply(documents: readonly EventDocument<Deed>[]): Promise<void> {
		const rooms = Map.groupBy(documents, ({ room }) => room);
		await this.#db.tx(async (tx) => {
			const places = await lockPlaces(tx, [...rooms.keys()].sort());
			const next: EventDocument<Deed>[] = [];
			for (const [room, own] of rooms) next.push(...(await this.#after(room, places.get(room) ?? 0, own)));
			if (next.length === 0) return;
			const facts = next.flatMap((document) => document.facts ?? []);
			if (facts.length > 0) await tx.query(outboxInsert("$1"), [JSON.stringify(facts)], "outbox-insert");
			for (const entry of next.map(toEntry)) if (this.#projection.concerns(entry)) await this.#projection.write(tx, entry);
			await movePlaces(tx, new Map(next.map(({ room, seq }) => [room, seq])));
			this.#pace.carried(next.length);
		});
		await this.#settle(documents);
	}

	/** The events of a room after a place: those at hand, with what lies before them. */
	async #after(room: string, place: number, own: readonly EventDocument<Deed>[]): Promise<EventDocument<Deed>[]> {
		const rest = own.filter(({ seq }) => seq > place).sort((one, other) => one.seq - other.seq);
		const last = rest.at(-1)?.seq ?? place;
		if (rest.length === last - place) return rest;
		const query = { room, seq: { $gt: place, $lte: last } };
		const all = await this.#ask((events) => events.find(query).sort(inOrder).toArray());
		if (all.length !== last - place) throw new Error(`The log of room ${room} has a gap between ${place} and ${last}.`);
		return all;
	}

	/** It is applied: the log loses what it should lose, and these are pending no more. Done again it does no harm. */
	async #settle(documents: readonly EventDocument<Deed>[]): Promise<void> {
		for (const document of documents) {
			const erasure = this.#projection.erases(toEvent(document));
			if (erasure) await this.#erase(document, erasure);
		}
		const ids = documents.map(({ _id }) => _id);
		// Nobody waits for it, and if it is lost they are found to be applied already.
		this.#ask((events) =>
			events.updateMany({ _id: { $in: ids } }, { $unset: { pending: "", facts: "", deeds: "" } }, { writeConcern: { w: 1 } }),
		).catch(() => {
			this.#behind = true;
		});
	}

	async #erase({ room, seq }: EventDocument<Deed>, erasure: Erasure): Promise<void> {
		await this.#ask(async (events) => {
			if (erasure === "before") return events.deleteMany({ room, seq: { $lt: seq } });
			const { text: target } = erasure;
			// What is told of them was told before the deletion was applied.
			await events.updateOne({ room, seq: target }, { $set: { "body.message.content": null, erased: true }, $unset: { facts: "" } });
			return events.updateMany(
				{ room, seq: { $gt: target }, type: "edited", "body.target": target },
				{ $set: { "body.content": null }, $unset: { facts: "" } },
			);
		});
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
			await this.#apply(documents);
		} catch (error) {
			this.#behind = true;
			if (isUnavailable(error)) throw error;
			for (const [room, own] of Map.groupBy(documents, (document) => document.room)) {
				try {
					await this.#apply(own);
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

/** How far these rooms are applied. Nobody else applies anything of them before this transaction ends. */
async function lockPlaces(tx: Tx, rooms: readonly string[]): Promise<Map<string, number>> {
	const lock = () =>
		tx.query<{ room: string; seq: number }>(
			"select room, seq from log_applied where room = any($1::uuid[]) order by room for update",
			[rooms],
			"log-lock",
		);
	let rows = await lock();
	if (rows.length < rooms.length) {
		await tx.query(
			"insert into log_applied (room, seq) select k, 0 from unnest($1::uuid[]) as k on conflict do nothing",
			[rooms],
			"log-place",
		);
		rows = await lock();
	}
	return new Map(rows.map(({ room, seq }) => [room, seq]));
}

async function movePlaces(tx: Tx, places: ReadonlyMap<string, number>): Promise<void> {
	await tx.query(
		"update log_applied a set seq = n.seq from unnest($1::uuid[], $2::bigint[]) as n (room, seq) where a.room = n.room",
		[[...places.keys()], [...places.values()]],
		"log-applied-to",
	);
}
