// The carrier of a numbered log on MongoDB. The document of an event is the commit point, and holds what is to come of it: facts to
// tell and rows to write. A relay brings that to PostgreSQL in the order of each log; `log_applied` there says how far it came, so
// that each event is applied once, whoever does it: the process that appended it, the next owner of the room, or the relay.
import type { ServiceBroker } from "moleculer";
import { refusal } from "../config/refusal.ts";
import type { AnyFact } from "./facts/fact.ts";
import { outboxInsert } from "./facts/outbox.ts";
import { Pace } from "./facts/pace.ts";
import { Worker } from "./facts/worker.ts";
import { answerTaken } from "./idempotency.ts";
import type { Entry, Erasure, LogCarrier, NewEvent, Projection, StoredEvent } from "./log-carrier.ts";
import { CLIENT_ID, FENCE, isConflict } from "./log-carrier.ts";
import type { Collection, Index, MongoLink, Query } from "./mongo.ts";
import { mongoCollection, patiently, takenIndex } from "./mongo.ts";
import type { Db, Tx } from "./postgres.ts";
import { isUnavailable } from "./postgres.ts";
import { isTool } from "./settings.ts";

/** An event as it is stored. The fields after `body` are there until all that comes of it is done. */
interface EventDocument<Deed> extends StoredEvent {
	_id: string;
	facts?: readonly AnyFact[];
	deeds?: readonly Deed[];
	pending?: true;
	/** Stays for as long as a key may come again. */
	once?: string;
	/** Its text was deleted. */
	erased?: true;
}

const ONCE = "room_events_once";
const key = { room: 1, seq: 1 };

export const INDEXES: readonly Index[] = [
	{ keys: key, options: { name: FENCE, unique: true } },
	{
		keys: { room: 1, sender: 1, clientId: 1 },
		options: { name: CLIENT_ID, unique: true, partialFilterExpression: { clientId: { $type: "string" } } },
	},
	{ keys: { once: 1 }, options: { name: ONCE, unique: true, partialFilterExpression: { once: { $type: "string" } } } },
	{ keys: { at: 1 }, options: { name: "room_events_pending", partialFilterExpression: { pending: true } } },
];

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

export class MongoLog<Deed = unknown> implements LogCarrier<Deed> {
	readonly isConflict = isConflict;
	readonly #link: MongoLink<EventDocument<Deed>>;
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

	/** @param report hears what operators should know */
	constructor(
		link: (log: MongoLog<Deed>) => MongoLink<EventDocument<Deed>>,
		db: Db,
		projection: Projection<Deed>,
		report: (text: string, data: object) => void,
	) {
		this.#db = db;
		this.#projection = projection;
		this.#report = report;
		this.#relay = new Worker({
			work: () => this.#relayOnce(),
			atLeastEvery: LOOK_EVERY_MS,
			gather: () => this.#pace.gather(),
			onError: (error) => report("what comes of events waits", { error: String(error) }),
		});
		this.#link = link(this);
	}

	/** Begins to apply what is pending. A tool leaves it to a running process. */
	start(): void {
		this.#relay.start();
	}

	/** What is still pending stays so in the log. */
	stop(): Promise<void> {
		return this.#relay.stop();
	}

	healthy(): Promise<boolean> {
		return this.#link.healthy();
	}

	/** Answers when the events are stored; where rows come of them, when these are written too: whoever asks next sees them. */
	async append(entries: readonly Entry<Deed>[]): Promise<void> {
		if (entries.length === 0) return;
		const documents = entries.map((entry) => toDocument(entry));
		await this.#store(documents);
		if (!entries.some((entry) => this.#projection.concerns(entry))) {
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

	async catchUp(room: string): Promise<void> {
		for (let more = true; more; ) {
			const [place] = await this.#db.query<{ seq: number }>("select seq from log_applied where room = $1", [room], "log-applied");
			const query = { room, seq: { $gt: place?.seq ?? 0 } };
			const documents = await this.#asked((events) => events.find(query).sort(key).limit(PORTION).toArray());
			if (documents.length > 0) await this.#apply(documents);
			more = documents.length === PORTION;
		}
	}

	async heads(rooms: readonly string[]): Promise<Map<string, number>> {
		const stages = [
			{ $match: { room: { $in: rooms } } },
			// So that the index is read once for each room.
			{ $sort: { room: -1, seq: -1 } },
			{ $group: { _id: "$room", head: { $first: "$seq" } } },
		];
		const rows = await this.#asked((events) => events.aggregate<{ _id: string; head: number }>(stages).toArray());
		const heads = new Map(rooms.map((room) => [room, 0]));
		for (const { _id, head } of rows) heads.set(_id, head);
		return heads;
	}

	async page(room: string, after: number, limit: number): Promise<StoredEvent[]> {
		const found = await this.#asked((events) =>
			events
				.find({ room, seq: { $gt: after } })
				.sort(key)
				.limit(limit)
				.toArray(),
		);
		return found.map(toStored);
	}

	async byClientId(room: string, sender: string, clientId: string): Promise<StoredEvent | undefined> {
		const found = await this.#asked((events) => events.findOne({ room, sender, clientId }));
		return found ? toStored(found) : undefined;
	}

	/** Messages after a seq ascending, or before one descending. */
	async messages(room: string, from: { after: number } | { before: number | null }, limit: number): Promise<StoredEvent[]> {
		const [seq, order] =
			"after" in from ? [{ $gt: from.after }, 1] : [from.before === null ? { $gt: 0 } : { $gt: 0, $lt: from.before }, -1];
		const found = await this.#asked((events) =>
			events.find({ room, seq, type: "message" }).sort({ room: order, seq: order }).limit(limit).toArray(),
		);
		return found.map(toStored);
	}

	async message(room: string, seq: number): Promise<StoredEvent | undefined> {
		const found = await this.#asked((events) => events.findOne({ room, seq, type: "message" }));
		return found ? toStored(found) : undefined;
	}

	/** Messages of others after a mark in each room that are not deleted; rooms without any are left out. */
	async unread(reader: string, marks: readonly { room: string; after: number }[]): Promise<Map<string, number>> {
		if (marks.length === 0) return new Map();
		const stages = [
			{
				$match: {
					$or: marks.map(({ room, after }) => ({ room, seq: { $gt: after } })),
					type: "message",
					sender: { $ne: reader },
					erased: null,
				},
			},
			{ $group: { _id: "$room", count: { $sum: 1 } } },
		];
		const rows = await this.#asked((events) => events.aggregate<{ _id: string; count: number }>(stages).toArray());
		return new Map(rows.map(({ _id, count }) => [_id, count]));
	}

	#asked<R>(question: (events: Collection<EventDocument<Deed>>) => Promise<R>): Promise<R> {
		return patiently(async () => question(await this.#link.collection()));
	}

	/** Tries until it is known whether they are stored: a try that nobody answered may have been good. */
	async #store(documents: EventDocument<Deed>[]): Promise<void> {
		await patiently(async () => {
			try {
				await this.#link.insertAll(documents);
			} catch (error) {
				const index = takenIndex(error);
				if (index === undefined) throw error;
				if (await this.#isStored(documents)) return;
				// Ours, but not yet safe: it may still be lost with the server that has it.
				if (index === "_id_")
					throw Object.assign(new Error("Stored, but not by a majority.", { cause: error }), { name: "MongoWriteConcernError" });
				throw await this.#refusal(index, documents);
			}
		});
	}

	async #isStored(documents: EventDocument<Deed>[]): Promise<boolean> {
		const ids = documents.map(({ _id }) => _id);
		const events = await this.#link.collection();
		return (
			(
				await events
					.find({ _id: { $in: ids } })
					.project({ _id: 1 })
					.toArray()
			).length === ids.length
		);
	}

	async #refusal(index: string, documents: EventDocument<Deed>[]): Promise<Error> {
		if (index !== ONCE) return Object.assign(new Error("Somebody else was first."), { code: "23505", constraint: index });
		// Whoever used it first must be answered from: let it be written.
		const names = documents.flatMap(({ once }) => once ?? []);
		const first = await this.#asked((events) => events.findOne({ once: { $in: names } }));
		if (first) await this.catchUp(first.room);
		return answerTaken();
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
		const events = await this.#link.collection();
		const all = await events
			.find({ room, seq: { $gt: place, $lte: last } })
			.sort(key)
			.toArray();
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
		this.#asked((events) =>
			events.updateMany({ _id: { $in: ids } }, { $unset: { pending: "", facts: "", deeds: "" } }, { writeConcern: { w: 1 } }),
		).catch(() => {
			this.#behind = true;
		});
	}

	async #erase({ room, seq }: EventDocument<Deed>, erasure: Erasure): Promise<void> {
		await this.#asked(async (events) => {
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
		const found = await this.#asked((events) => events.find(query).sort({ at: 1 }).limit(PORTION).toArray());
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
		const old = { once: { $type: "string" }, at: { $lt: new Date(Date.now() - KEEP_ONCE_MS) } };
		await this.#asked((events) => events.updateMany(old, { $unset: { once: "" } }));
	}
}

/** Logs are not moved from one store to the other: numbers would begin anew, and what was said would be gone. */
export async function refuseOtherStore(db: Db, elsewhere: boolean): Promise<void> {
	const [other] = await db.query(`select 1 from ${elsewhere ? "room_events" : "log_applied"} limit 1`);
	if (!other) return;
	throw refusal(
		elsewhere
			? "MONGO_URL is set, but the messages of this database's groups are in PostgreSQL, and are not moved: unset it."
			: "MONGO_URL is not set, but the messages of this database's groups are in MongoDB: set it to where they are.",
	);
}

export interface MongoLogOptions<Deed> {
	url: string;
	collection: string;
	/** The node's own database, into which its events are applied. */
	db: Db;
	projection: Projection<Deed>;
}

/** The log of this process, with the service `room-log` that holds its collection. */
export function mongoLog<Deed>(broker: ServiceBroker, { url, collection, db, projection }: MongoLogOptions<Deed>): MongoLog<Deed> {
	const logger = broker.getLogger("room-log");
	const link = (log: MongoLog<Deed>) =>
		mongoCollection<EventDocument<Deed>>(broker, {
			...{ url, collection, service: "room-log", indexes: INDEXES },
			opened: () => void (isTool(broker) || log.start()),
			closing: () => log.stop(),
		});
	return new MongoLog<Deed>(link, db, projection, (text, data) => logger.warn(text, data));
}

function toDocument<Deed>({ event, facts, deeds, once }: Entry<Deed>): EventDocument<Deed> {
	const { room, seq, id, at } = event;
	return { _id: `${room} ${seq} ${id}`, ...event, at: new Date(at), facts, deeds, pending: true, ...(once === undefined ? {} : { once }) };
}

const toStored = ({ room, seq, id, type, at, sender, senderName, clientId, body }: StoredEvent): StoredEvent => ({
	room,
	seq,
	id,
	type,
	at,
	sender,
	senderName,
	clientId,
	body,
});
const toEvent = (document: StoredEvent): NewEvent => ({ ...toStored(document), at: document.at.toISOString() });
const toEntry = <Deed>(document: EventDocument<Deed>): Entry<Deed> => ({
	event: toEvent(document),
	facts: document.facts ?? [],
	deeds: document.deeds ?? [],
});

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
