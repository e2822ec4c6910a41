// The carrier of a numbered log on MongoDB. The document of an event is the commit point, and holds what is to come of it
// (events.ts); that is brought to PostgreSQL by the applier (applier.ts).
import type { ServiceBroker } from "moleculer";
import { refusal } from "../../config/refusal.ts";
import { answerTaken } from "../idempotency.ts";
import type { Entry, LogCarrier, NewEvent, Projection } from "../log-carrier.ts";
import { FORGOTTEN_CLIENT_ID, isConflict } from "../log-carrier.ts";
import type { MongoLink } from "./collection.ts";
import { mongoCollection } from "./collection.ts";
import type { Collection, Query } from "./driver.ts";
import { patiently, takenIndex } from "./errors.ts";
import type { ApplierOptions } from "./applier.ts";
import { Applier } from "./applier.ts";
import type { Ask, EventDocument } from "./events.ts";
import { INDEXES, inOrder, ONCE, toDocument, toEvent } from "./events.ts";
import type { Db } from "../postgres.ts";
import { isTool } from "../settings.ts";

export class MongoLog<Deed = unknown> implements LogCarrier<Deed> {
	readonly isConflict = isConflict;
	readonly #link: MongoLink<EventDocument<Deed>>;
	readonly #applier: Applier<Deed>;

	constructor(link: (applier: Applier<Deed>) => MongoLink<EventDocument<Deed>>, options: Omit<ApplierOptions<Deed>, "ask">) {
		this.#applier = new Applier({ ...options, ask: (question) => this.#asked(question) });
		this.#link = link(this.#applier);
	}

	healthy(): Promise<boolean> {
		return this.#link.healthy();
	}

	/** Answers when the events are stored; where rows come of them, when these are written too. */
	async append(entries: readonly Entry<Deed>[]): Promise<void> {
		if (entries.length === 0) return;
		const documents = entries.map((entry) => toDocument(entry));
		await this.#store(documents);
		await this.#applier.appended(documents);
	}

	catchUp(room: string): Promise<void> {
		return this.#applier.catchUp(room);
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

	async page(room: string, after: number, limit: number): Promise<NewEvent[]> {
		const found = await this.#asked((events) =>
			events
				.find({ room, seq: { $gt: after } })
				.sort(inOrder)
				.limit(limit)
				.toArray(),
		);
		return found.map(toEvent);
	}

	async byClientId(room: string, sender: string, clientId: string): Promise<NewEvent | undefined> {
		const found = await this.#asked((events) => events.findOne({ room, sender, clientId }));
		return found ? toEvent(found) : undefined;
	}

	async messagesBy(room: string, sender: string, after: number, limit: number): Promise<NewEvent[]> {
		const found = await this.#asked((events) =>
			events
				.find({ room, sender, type: "message", seq: { $gt: after } })
				.sort(inOrder)
				.limit(limit)
				.toArray(),
		);
		return found.map(toEvent);
	}

	async forgetPerson(room: string, profileId: string, nobody: { profileId: string; displayName: string }): Promise<void> {
		// What comes of these events is written by then: what they carried of it can go.
		await this.catchUp(room);
		const carried = { clientId: "", facts: "", deeds: "", pending: "", once: "" };
		const author = { sender: nobody.profileId, senderName: nobody.displayName };
		const steps: [Query, Query][] = [
			[
				{ type: "message", sender: profileId },
				{ $set: { ...author, "body.message.clientId": FORGOTTEN_CLIENT_ID }, $unset: { ...carried, "body.message.attachments": "" } },
			],
			[{ sender: profileId }, { $set: author, $unset: carried }],
			[{ type: "member", "body.profileId": profileId }, { $set: { "body.displayName": nobody.displayName } }],
			[{ "body.profileId": profileId }, { $set: { "body.profileId": nobody.profileId }, $unset: carried }],
		];
		for (const [which, change] of steps) await this.#asked((events) => events.updateMany({ room, ...which }, change));
		// The operator changes one mention of each message.
		const mentioned = { room, "body.message.mentions": profileId };
		while (await this.#asked((events) => events.findOne(mentioned)))
			await this.#asked((events) => events.updateMany(mentioned, { $set: { "body.message.mentions.$": nobody.profileId } }));
	}

	/** Messages after a seq ascending, or before one descending. */
	async messages(room: string, from: { after: number } | { before: number | null }, limit: number): Promise<NewEvent[]> {
		const [seq, order] =
			"after" in from ? [{ $gt: from.after }, 1] : [from.before === null ? { $gt: 0 } : { $gt: 0, $lt: from.before }, -1];
		const found = await this.#asked((events) =>
			events.find({ room, seq, type: "message" }).sort({ room: order, seq: order }).limit(limit).toArray(),
		);
		return found.map(toEvent);
	}

	/** Messages at these places, in any order. */
	async messagesAt(places: readonly { room: string; seq: number }[]): Promise<NewEvent[]> {
		if (places.length === 0) return [];
		const found = await this.#asked((events) =>
			events.find({ $or: places.map(({ room, seq }) => ({ room, seq })), type: "message" }).toArray(),
		);
		return found.map(toEvent);
	}

	async message(room: string, seq: number): Promise<NewEvent | undefined> {
		const found = await this.#asked((events) => events.findOne({ room, seq, type: "message" }));
		return found ? toEvent(found) : undefined;
	}

	/** How many messages a room has had up to a seq, deleted ones too. */
	async messagesUpTo(room: string, seq: number): Promise<number> {
		const at = await this.#asked((events) => events.findOne({ room, seq }));
		const known = at?.body.messages;
		if (typeof known === "number") return known;
		return this.#asked((events) => events.countDocuments({ room, seq: { $lte: seq }, type: "message" }));
	}

	/**
	 * Messages of others after a mark in each room that are not deleted; rooms without any are left out. All after the mark (each event
	 * knows how many there were up to it), less the reader's own, less those of others that are deleted: what is counted is little.
	 */
	async unread(reader: string, marks: readonly { room: string; after: number }[]): Promise<Map<string, number>> {
		if (marks.length === 0) return new Map();
		const count = async (which: Query): Promise<Map<string, number>> => {
			const rooms = marks.map(({ room, after }) => ({ room, ...which, seq: { $gt: after } }));
			const stages = [{ $match: { $or: rooms } }, { $group: { _id: "$room", count: { $sum: 1 } } }];
			const rows = await this.#asked((events) => events.aggregate<{ _id: string; count: number }>(stages).toArray());
			return new Map(rows.map(({ _id, count }) => [_id, count]));
		};
		const [all, own, gone] = await Promise.all([
			this.#messagesAfter(marks),
			count({ sender: reader, type: "message" }),
			count({ erased: true, sender: { $ne: reader } }),
		]);
		const of = (room: string) => (all.get(room) ?? 0) - (own.get(room) ?? 0) - (gone.get(room) ?? 0);
		return new Map(marks.map(({ room }): [string, number] => [room, of(room)]).filter(([, count]) => count > 0));
	}

	/** Messages after a mark in each room, whosever and deleted ones too. */
	async #messagesAfter(marks: readonly { room: string; after: number }[]): Promise<Map<string, number>> {
		type Counted = { room: string; seq: number; messages?: number | null };
		const fields = { $project: { _id: 0, room: 1, seq: 1, messages: "$body.messages" } };
		const last = { room: { $first: "$room" }, seq: { $first: "$seq" }, messages: { $first: "$body.messages" } };
		const [heads, begun] = await Promise.all(
			[
				[
					{ $match: { room: { $in: marks.map(({ room }) => room) } } },
					// So that the index is read once for each room.
					{ $sort: { room: -1, seq: -1 } },
					{ $group: { _id: "$room", ...last } },
				],
				[{ $match: { $or: marks.map(({ room, after }) => ({ room, seq: after })) } }, fields],
			].map((stages) => this.#asked((events) => events.aggregate<Counted>(stages).toArray())),
		);
		const headOf = new Map(heads?.map((row) => [row.room, row]));
		const markOf = new Map(begun?.map((row) => [row.room, row]));
		const counted = marks.map(async ({ room, after }): Promise<[string, number]> => {
			const head = headOf.get(room);
			if (!head || head.seq <= after) return [room, 0];
			const before = after === 0 ? 0 : markOf.get(room)?.messages;
			if (typeof head.messages === "number" && typeof before === "number") return [room, head.messages - before];
			return [room, await this.#asked((events) => events.countDocuments({ room, seq: { $gt: after }, type: "message" }))];
		});
		return new Map(await Promise.all(counted));
	}

	/** Asks the collection itself, patiently: for what only some logs are asked. */
	get ask(): Ask<Deed> {
		return (question) => this.#asked(question);
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
	/** The services that need it: it stays connected until the last of them has finished its work. */
	users?: readonly string[];
	/** The node's own database, into which its events are applied. */
	db: Db;
	projection: Projection<Deed>;
}

/** The log of this process, with the service `room-log` that holds its collection. */
export function mongoLog<Deed>(broker: ServiceBroker, { url, collection, users, db, projection }: MongoLogOptions<Deed>): MongoLog<Deed> {
	const logger = broker.getLogger("room-log");
	const link = (applier: Applier<Deed>) =>
		mongoCollection<EventDocument<Deed>>(broker, {
			...{ url, collection, users, service: "room-log", indexes: INDEXES },
			opened: () => void (isTool(broker) || applier.start()),
			closing: () => applier.stop(),
		});
	return new MongoLog<Deed>(link, { db, projection, report: (text, data) => logger.warn(text, data) });
}
