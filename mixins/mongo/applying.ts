// Applying events of the log to PostgreSQL: what comes of them is written in the order of each log, once, whoever does it. The
// room's place moves in the same transaction, and the log forgets what it carried only after it.
import { outboxInsert } from "../facts/outbox.ts";
import type { Erasure, Projection } from "../log-carrier.ts";
import type { Db } from "../postgres.ts";
import type { Ask, EventDocument } from "./events.ts";
import { inOrder, toEntry, toEvent } from "./events.ts";
import { lockPlaces, movePlaces, placeOf } from "./places.ts";

/** Documents that are applied in one transaction. */
export const PORTION = 500;

export interface ApplyingOptions<Deed> {
	ask: Ask<Deed>;
	/** The node's own database. */
	db: Db;
	projection: Projection<Deed>;
}

export class Applying<Deed> {
	readonly #ask: Ask<Deed>;
	readonly #db: Db;
	readonly #projection: Projection<Deed>;
	readonly #on: { carried(count: number): void; unsettled(): void };

	/** @param on hears how many were applied, and of those that were and are still said to be pending */
	constructor({ ask, db, projection }: ApplyingOptions<Deed>, on: { carried(count: number): void; unsettled(): void }) {
		this.#ask = ask;
		this.#db = db;
		this.#projection = projection;
		this.#on = on;
	}

	/** Applies what a room has and PostgreSQL has not. */
	async catchUp(room: string): Promise<void> {
		for (let more = true; more; ) {
			const query = { room, seq: { $gt: await placeOf(this.#db, room) } };
			const documents = await this.#ask((events) => events.find(query).sort(inOrder).limit(PORTION).toArray());
			if (documents.length > 0) await this.apply(documents);
			more = documents.length === PORTION;
		}
	}

	/** Does what comes of these events, and of those before them in their rooms; what was done already is left out. */
	async apply(documents: readonly EventDocument<Deed>[]): Promise<void> {
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
			this.#on.carried(next.length);
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
		).catch(() => this.#on.unsettled());
	}

	async #erase({ room, seq }: EventDocument<Deed>, erasure: Erasure): Promise<void> {
		await this.#ask(async (events) => {
			if (erasure === "before") return events.deleteMany({ room, seq: { $lt: seq } });
			const { text: target } = erasure;
			// What is told of them was told before the deletion was applied.
			await events.updateOne(
				{ room, seq: target },
				{
					$set: { "body.message.content": null, erased: true },
					$unset: { facts: "", "body.message.attachments": "", "body.message.mentions": "" },
				},
			);
			return events.updateMany(
				{ room, seq: { $gt: target }, type: "edited", "body.target": target },
				{ $set: { "body.content": null }, $unset: { facts: "" } },
			);
		});
	}
}
