// Where numbered logs are stored, behind one interface: append with a fence, read on by seq, find by client id. The facts
// of an append are pending from its commit on; here they are rows of the outbox, in a document store the event itself.
import type { AnyFact } from "./facts/fact.ts";
import { outboxInsert } from "./facts/outbox.ts";
import type { Db, Tx } from "./postgres.ts";

/** One event to append. `body` holds what the event carries besides the envelope. */
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

export type StoredEvent = Omit<NewEvent, "at"> & { at: Date };

export interface LogCarrier {
	/**
	 * Appends events of any rooms and tells their facts, all or nothing; `also` writes what else belongs to it, in the
	 * same transaction where the carrier has them. Seqs are the caller's: a number or client id that is taken is a conflict.
	 */
	append(events: readonly NewEvent[], facts: readonly AnyFact[], also?: (tx: Tx) => Promise<void>): Promise<void>;
	/** Was an append refused because somebody else had taken the number or the client id? */
	isConflict(error: unknown): boolean;
	/** The last seq of each room; 0 where nothing was said yet. */
	heads(rooms: readonly string[]): Promise<Map<string, number>>;
	/** Events after a seq, ascending; at the same price at any depth. */
	page(room: string, after: number, limit: number): Promise<StoredEvent[]>;
	byClientId(room: string, sender: string, clientId: string): Promise<StoredEvent | undefined>;
}

/** The constraint that a second writer of a number runs into. */
export const FENCE = "room_events_pkey";
/** The constraint that a client id used again runs into. */
export const CLIENT_ID = "room_events_client";

const insertEvents = `
	insert into room_events (room, seq, id, type, at, sender, sender_name, client_id, body)
	select room, seq, id, type, at, sender, "senderName", "clientId", body
	from json_to_recordset($1::json) as e(
		room uuid, seq bigint, id uuid, type text, at timestamptz, sender uuid, "senderName" text, "clientId" text, body json
	)`;
const insertEventsAndFacts = `with appended as (${insertEvents}) ${outboxInsert("$2")}`;
const columns = `room, seq, id, type, at, sender, sender_name as "senderName", client_id as "clientId", body`;

/** The carrier on the node's own PostgreSQL schema: the table `room_events`. */
export class PostgresLog implements LogCarrier {
	readonly #db: Db;

	constructor(db: Db) {
		this.#db = db;
	}

	async append(events: readonly NewEvent[], facts: readonly AnyFact[], also?: (tx: Tx) => Promise<void>): Promise<void> {
		const values = [JSON.stringify(events), JSON.stringify(facts)];
		if (also) {
			await this.#db.tx(async (tx) => {
				await tx.query(insertEventsAndFacts, values, "log-append");
				await also(tx);
			});
		} else if (events.length > 0 || facts.length > 0) {
			await this.#db.query(insertEventsAndFacts, values, "log-append");
		}
	}

	/** Appends in a transaction of the caller's, who tells the facts. */
	async appendIn(tx: Pick<Tx, "query">, events: readonly NewEvent[]): Promise<void> {
		await tx.query(insertEvents, [JSON.stringify(events)], "log-append-in");
	}

	isConflict(error: unknown): boolean {
		const { code, constraint } = error as { code?: unknown; constraint?: unknown };
		return code === "23505" && (constraint === FENCE || constraint === CLIENT_ID);
	}

	/** @param tx to see what a transaction of the caller's sees */
	async heads(rooms: readonly string[], tx: Pick<Tx, "query"> = this.#db): Promise<Map<string, number>> {
		const rows = await tx.query<{ room: string; head: number }>(
			`select k.room, coalesce((select max(seq) from room_events e where e.room = k.room), 0)::bigint as head
			from unnest($1::uuid[]) as k(room)`,
			[rooms],
			"log-heads",
		);
		return new Map(rows.map((row) => [row.room, row.head]));
	}

	page(room: string, after: number, limit: number): Promise<StoredEvent[]> {
		return this.#db.query<StoredEvent>(
			`select ${columns} from room_events where room = $1 and seq > $2 order by seq limit $3`,
			[room, after, limit],
			"log-page",
		);
	}

	async byClientId(room: string, sender: string, clientId: string): Promise<StoredEvent | undefined> {
		const [row] = await this.#db.query<StoredEvent>(
			`select ${columns} from room_events where room = $1 and sender = $2 and client_id = $3`,
			[room, sender, clientId],
			"log-by-client-id",
		);
		return row;
	}
}
