// Where numbered logs are stored, behind one interface: append with a fence, read on by seq, find by client id. What comes of
// an event (facts to tell, rows to write) is stored with it, so that it is done once whoever crashes when.
import type { AnyFact } from "../services/contracts/index.ts";
import { outboxInsert } from "./facts/outbox.ts";
import type { Need } from "./parts.ts";
import type { Db, Tx } from "./postgres.ts";

/** One event, as it is appended and as it is read. `body` holds what the event carries besides the envelope. */
export interface NewEvent {
	room: string;
	seq: number;
	id: string;
	type: string;
	/** ISO 8601, UTC. */
	at: string;
	sender: string | null;
	senderName: string | null;
	/** The sender's own id of the event: unique per room and sender, for as long as the log lives. */
	clientId: string | null;
	body: Record<string, unknown>;
}

/** An event with all that comes of it. */
export interface Entry<Deed = unknown> {
	event: NewEvent;
	facts: readonly AnyFact[];
	/** What else is to be written, as data: it may be another process than the one that decided it that writes it. */
	deeds: readonly Deed[];
	/** A name that can be used up once (an Idempotency-Key): a second entry with it is refused. */
	once?: string | undefined;
}

/** How events show in other tables of their node. Called in the order of the log, once for each event. */
export interface Projection<Deed = unknown> {
	/** Whether there is anything to write for it. */
	concerns(entry: Entry<Deed>): boolean;
	write(tx: Tx, entry: Entry<Deed>): Promise<void>;
	/** What the log itself loses by this event. */
	erases(event: NewEvent): Erasure | undefined;
}

/** What one message said, and what its edits did; or everything before the event: only this one keeps its place, as the fence. */
export type Erasure = { text: number } | "before";

export interface LogCarrier<Deed = unknown> {
	/** What must be in the node's schema. */
	readonly needs?: Need;
	/** Appends events of any rooms with all that comes of them, all or nothing. A number or client id that is taken is a conflict. */
	append(entries: readonly Entry<Deed>[]): Promise<void>;
	/** Was an append refused because somebody else had taken the number or the client id? */
	isConflict(error: unknown): boolean;
	/** Resolved when everything that comes of a room's events is written: before anything is decided on it. */
	catchUp(room: string): Promise<void>;
	/** The last seq of each room; 0 where nothing was said yet. */
	heads(rooms: readonly string[]): Promise<Map<string, number>>;
	/** Events after a seq, ascending; at the same price at any depth. */
	page(room: string, after: number, limit: number): Promise<NewEvent[]>;
	byClientId(room: string, sender: string, clientId: string): Promise<NewEvent | undefined>;
	/** Somebody's own messages in a room after a seq, ascending. */
	messagesBy(room: string, sender: string, after: number, limit: number): Promise<NewEvent[]>;
	/** Everything of a person in a room becomes `nobody`'s: events keep their places and their texts. Safe to do twice. */
	forgetPerson(room: string, profileId: string, nobody: { profileId: string; displayName: string }): Promise<void>;
}
/** What a client called a message of somebody who was erased. */
export const FORGOTTEN_CLIENT_ID = "deleted";

/** The constraint that a second writer of a number runs into. */
export const FENCE = "room_events_pkey";
/** The constraint that a client id used again runs into. */
export const CLIENT_ID = "room_events_client";

/** The same names on every carrier. */
export function isConflict(error: unknown): boolean {
	const { constraint } = error as { constraint?: unknown };
	return constraint === FENCE || constraint === CLIENT_ID;
}

const insertEvents = `
	insert into room_events (room, seq, id, type, at, sender, sender_name, client_id, body)
	select room, seq, id, type, at, sender, "senderName", "clientId", body
	from json_to_recordset($1::json) as e(
		room uuid, seq bigint, id uuid, type text, at timestamptz, sender uuid, "senderName" text, "clientId" text, body json
	)`;
const insertEventsAndFacts = `with appended as (${insertEvents}) ${outboxInsert("$2")}`;
const columns = `room, seq, id, type, at, sender, sender_name as "senderName", client_id as "clientId", body`;

/** The carrier on the node's own PostgreSQL schema: the table `room_events`, all that comes of an event in its transaction. */
export class PostgresLog<Deed = unknown> implements LogCarrier<Deed> {
	readonly isConflict = isConflict;
	readonly needs: Need;
	readonly #db: Db;
	readonly #projection: Projection<Deed> | undefined;

	constructor(db: Db, projection?: Projection<Deed>) {
		this.#db = db;
		this.needs = { db, part: "room-log", table: "room_events" };
		this.#projection = projection;
	}

	/** One statement where only facts come of the events; else one transaction. */
	async append(entries: readonly Entry<Deed>[]): Promise<void> {
		if (entries.length === 0) return;
		const projection = this.#projection;
		const values = [JSON.stringify(entries.map(({ event }) => event)), JSON.stringify(entries.flatMap(({ facts }) => facts))];
		const more = projection ? entries.filter((entry) => projection.concerns(entry)) : [];
		if (!projection || more.length === 0) {
			await this.#db.query(insertEventsAndFacts, values, "log-append");
			return;
		}
		await this.#db.tx(async (tx) => {
			await tx.query(insertEventsAndFacts, values, "log-append");
			for (const entry of more) {
				await projection.write(tx, entry);
				const erasure = projection.erases(entry.event);
				if (erasure) await erase(tx, entry.event, erasure);
			}
		});
	}

	/** Appends in a transaction of the caller's, who tells the facts. */
	async appendIn(tx: Pick<Tx, "query">, events: readonly NewEvent[]): Promise<void> {
		await tx.query(insertEvents, [JSON.stringify(events)], "log-append-in");
	}

	/** Nothing is ever behind: it is one transaction. */
	async catchUp(): Promise<void> {}

	/** @param tx to see what a transaction of the caller's sees */
	async heads(rooms: readonly string[], tx: Pick<Tx, "query"> = this.#db): Promise<Map<string, number>> {
		const rows = await tx.query<{ room: string; head: number }>(
			`select k.room, coalesce((select max(seq) from room_events e where e.room = k.room), 0)::bigint as head
			from unnest($1::uuid[]) as k(room)`,
			[rooms],
		);
		return new Map(rows.map((row) => [row.room, row.head]));
	}

	page(room: string, after: number, limit: number): Promise<NewEvent[]> {
		return this.#db.query<NewEvent>(
			`select ${columns} from room_events where room = $1 and seq > $2 order by seq limit $3`,
			[room, after, limit],
			"log-page",
		);
	}

	async byClientId(room: string, sender: string, clientId: string): Promise<NewEvent | undefined> {
		const [row] = await this.#db.query<NewEvent>(
			`select ${columns} from room_events where room = $1 and sender = $2 and client_id = $3`,
			[room, sender, clientId],
			"log-by-client-id",
		);
		return row;
	}

	messagesBy(room: string, sender: string, after: number, limit: number): Promise<NewEvent[]> {
		return this.#db.query<NewEvent>(
			`select ${columns} from room_events where room = $1 and sender = $2 and seq > $3 and type = 'message' order by seq limit $4`,
			[room, sender, after, limit],
		);
	}

	async forgetPerson(room: string, profileId: string, nobody: { profileId: string; displayName: string }): Promise<void> {
		const head = (await this.heads([room])).get(room) ?? 0;
		for (let from = 0; from < head; from += PORTION) {
			const where = [room, from, from + PORTION, profileId];
			await this.#db.query(
				`update room_events set sender = $5, sender_name = $6, client_id = null,
					body = case when type = 'message' then jsonb_set(body::jsonb #- '{message,attachments}', '{message,clientId}', to_jsonb($7::text))::json else body end
				where room = $1 and seq > $2 and seq <= $3 and sender = $4`,
				[...where, nobody.profileId, nobody.displayName, FORGOTTEN_CLIENT_ID],
			);
			await this.#db.query(
				`update room_events set body = jsonb_set(body::jsonb, '{displayName}', to_jsonb($5::text))::json
				where room = $1 and seq > $2 and seq <= $3 and type = 'member' and body ->> 'profileId' = $4`,
				[...where, nobody.displayName],
			);
			// Who was mentioned, who left, who reacted.
			await this.#db.query(
				`update room_events set body = replace(body::text, $4, $5)::json
				where room = $1 and seq > $2 and seq <= $3 and body::text like '%' || $4 || '%'`,
				[...where, nobody.profileId],
			);
		}
	}
}

/** Events that one statement looks through. */
const PORTION = 20_000;

/** Deleted means deleted: the log keeps the place, not what was said, neither in the message nor in its edits. */
async function erase(tx: Tx, { room, seq }: NewEvent, erasure: Erasure): Promise<void> {
	if (erasure === "before") {
		await tx.query("delete from room_events where room = $1 and seq < $2", [room, seq]);
		return;
	}
	await tx.query(
		`update room_events set body = jsonb_set(body::jsonb #- '{message,attachments}' #- '{message,mentions}', '{message,content}', 'null')::json
		where room = $1 and seq = $2`,
		[room, erasure.text],
	);
	await tx.query(
		`update room_events set body = jsonb_set(body::jsonb, '{content}', 'null')::json
		where room = $1 and seq > $2 and type = 'edited' and (body ->> 'target')::bigint = $2`,
		[room, erasure.text],
	);
}
