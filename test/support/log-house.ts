// The log of groups as processes have it, on one of its carriers: what the suite of the log runs on.
import { randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import type { Decision } from "../../mixins/actor/command.ts";
import { Actors } from "../../mixins/actor/actors.ts";
import { toFact } from "../../mixins/facts/fact.ts";
import type { Entry, LogCarrier, NewEvent, Projection } from "../../mixins/log-carrier.ts";
import { PostgresLog } from "../../mixins/log-carrier.ts";
import { mongoLog } from "../../mixins/mongo/log.ts";
import type { Db } from "../../mixins/postgres.ts";
import { database, isUnavailable } from "../../mixins/postgres.ts";
import { RoomLog } from "../../mixins/room-log.ts";
import { toRow } from "../../services/groups/store/events.ts";
import { joinedReads } from "../../services/groups/store/joined-reads.ts";
import type { Deed } from "../../services/groups/store/projection.ts";
import { projection } from "../../services/groups/store/projection.ts";
import type { GroupReads } from "../../services/groups/store/reads.ts";
import { twoStepReads } from "../../services/groups/store/two-step-reads.ts";
import type { GroupEvent } from "../../services/groups/domain/group.ts";
import type { FreshDatabase } from "./database.ts";
import { testDatabase } from "./database.ts";
import { cause, posted } from "./facts.ts";
import { eventually } from "./eventually.ts";

/** A log as one process has it: memory, bus and connection of its own, the store shared. */
export interface LogProcess {
	broker: ServiceBroker;
	log: RoomLog;
	carrier: LogCarrier<Deed>;
	reads: GroupReads;
}

export interface LogHouse {
	db: Db;
	/** `db`: its way to PostgreSQL, where that is to fail. */
	process(options?: { db?: Db }): Promise<LogProcess>;
	close(): Promise<void>;
}

export async function logsOnPostgres(): Promise<LogHouse> {
	const fresh = await testDatabase(["groups"]);
	const db = database("groups");
	return {
		db,
		async process({ db: own = db } = {}) {
			const broker = new ServiceBroker({ logger: false });
			const carrier = new PostgresLog(own, projection({ late: false }));
			return { broker, carrier, log: new RoomLog(carrier, "group", broker), reads: joinedReads(own) };
		},
		close: () => fresh.close(),
	};
}

/** @param url MONGO_URL; the database in it is left for one of its own, `at` */
export async function logsOnMongo(url: string): Promise<LogHouse & { at: string }> {
	const fresh: FreshDatabase = await testDatabase(["groups"]);
	const db = database("groups");
	const own = Object.assign(new URL(url), { pathname: `/test_${randomUUID().slice(0, 8)}` }).href;
	const brokers: ServiceBroker[] = [];
	return {
		db,
		at: own,
		async process({ db: other = db } = {}) {
			const broker = new ServiceBroker({ logger: false });
			brokers.push(broker);
			const late: Projection<Deed> = projection({ late: true });
			const carrier = mongoLog(broker, { url: own, collection: "group_events", db: other, projection: late });
			await broker.start();
			return { broker, carrier, log: new RoomLog(carrier, "group", broker), reads: twoStepReads(other, carrier) };
		},
		async close() {
			await Promise.all(brokers.map((broker) => broker.stop()));
			await fresh.close();
		},
	};
}

export const ada: string = randomUUID();

export const event = (room: string, seq: number, clientId = `client ${seq}`, sender = ada): NewEvent => {
	const id = randomUUID();
	return {
		room,
		seq,
		id,
		type: "message",
		at: "2026-03-01T12:00:00.000Z",
		sender,
		senderName: "Ada",
		clientId,
		body: { message: { id, clientId, kind: "text", content: `message ${seq}` } },
	};
};
export const events = (room: string, from: number, to: number): NewEvent[] =>
	Array.from({ length: to - from + 1 }, (_, i) => event(room, from + i));

export const plain = (row: NewEvent): Entry<Deed> => ({ event: row, facts: [], deeds: [] });
/** A message with the fact that tells of it. */
export const told = (row: NewEvent): Entry<Deed> => ({
	event: row,
	facts: [toFact(posted(row.room, row.seq), cause, new Date())],
	deeds: [],
});

/** An event of a group that is decided, by Ada. */
export type Said = GroupEvent extends infer E ? (E extends GroupEvent ? Omit<E, "id" | "by" | "at"> : never) : never;
export const row = (room: string, seq: number, said: Said): NewEvent =>
	toRow(room, seq, { id: randomUUID(), by: { profileId: ada, displayName: "Ada" }, at: "2026-03-01T12:00:00.000Z", ...said } as GroupEvent);

export const append = (carrier: LogCarrier<Deed>, rows: NewEvent[]): Promise<void> => carrier.append(rows.map(plain));

/** The numbers of the messages of a room that were told, in the order of the outbox. */
export async function toldOf(db: Db, room: string): Promise<number[]> {
	const rows = await db.query<{ seq: number }>(
		"select (payload ->> 'seq')::int as seq from outbox where aggregate = $1 order by outbox.id",
		[room],
	);
	return rows.map(({ seq }) => seq);
}

/** Resolved when so many were told. */
export const toldInTime = (db: Db, room: string, count: number): Promise<number[]> =>
	eventually(async () => {
		const seqs = await toldOf(db, room);
		if (seqs.length < count) throw new Error(`Only ${seqs.length} of ${count} were told.`);
		return seqs;
	});

type Words = Decision<string, number> & { sender: string };

/** An owner of rooms that takes words, each with its own text as client id. */
export class Owner {
	readonly #actors: Actors<{ head: number }, string, Words>;

	constructor(carrier: LogCarrier<Deed>) {
		this.#actors = new Actors<{ head: number }, string, Words>({
			load: async (key) => {
				await carrier.catchUp(key);
				return { head: (await carrier.heads([key])).get(key) ?? 0 };
			},
			head: (state) => state.head,
			commit: (batch) => carrier.append(batch.flatMap(entriesOf)),
			committed: ({ state, decisions }) => ({ head: state.head + decisions.length }),
			isConflict: (error) => carrier.isConflict(error),
			isAway: isUnavailable,
			replay: async (room, { events: [word = ""], sender }) => (await carrier.byClientId(room, sender, word))?.seq,
		});
	}

	/** Answers the number that the word has, also where it was said before. */
	say(room: string, sender: string, word: string): Promise<number> {
		return this.#actors.submit<number>(room, { decide: () => ({ events: [word], sender, answer: ([seq]) => seq as number }) });
	}
}

function entriesOf({ key, first, decisions }: { key: string; first: number; decisions: Words[] }): Entry<Deed>[] {
	return decisions.map(({ events: [word = ""], sender }, i) => told(event(key, first + i, word, sender)));
}
