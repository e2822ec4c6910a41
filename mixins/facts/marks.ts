// What a node remembers of JetStream's streams, in its own database: what PostgreSQL says counts, and JetStream is held against it.
import type { Queryable } from "../postgres.ts";

/** A node's own stream, as its relay left it. */
export interface Told {
	created: string;
	lastSeq: number;
	/** Rows of the outbox after the first and up to the second number are carried again. Null: nothing is. */
	refillAfter: number | null;
	refillUntil: number | null;
}

export async function toldMark(db: Queryable, stream: string): Promise<Told | undefined> {
	const [mark] = await db.query<Told>(
		`select created, last_seq as "lastSeq", refill_after as "refillAfter", refill_until as "refillUntil" from carrier_told where stream = $1`,
		[stream],
		"carrier-told",
	);
	return mark;
}

export async function saveTold(db: Queryable, stream: string, { created, lastSeq, refillAfter, refillUntil }: Told): Promise<void> {
	await db.query(
		`insert into carrier_told (stream, created, last_seq, refill_after, refill_until) values ($1, $2, $3, $4, $5)
		on conflict (stream) do update set created = $2, last_seq = $3, refill_after = $4, refill_until = $5`,
		[stream, created, lastSeq, refillAfter, refillUntil],
		"carrier-told-save",
	);
}

/** How far a consumer has taken a stream into its inbox, and by which durable. */
export interface Heard {
	created: string;
	lastSeq: number;
	durableCreated: string;
	/** How many messages the durable had handed out by then: another number means that somebody else was handed some. */
	deliveries: number;
}

export async function heardMark(db: Queryable, stream: string, durable: string): Promise<Heard | undefined> {
	const [mark] = await db.query<Heard>(
		`select created, last_seq as "lastSeq", durable_created as "durableCreated", deliveries
		from carrier_heard where stream = $1 and durable = $2`,
		[stream, durable],
		"carrier-heard",
	);
	return mark;
}

export async function saveHeard(db: Queryable, stream: string, durable: string, mark: Heard): Promise<void> {
	await db.query(
		`insert into carrier_heard (stream, durable, created, last_seq, durable_created, deliveries) values ($1, $2, $3, $4, $5, $6)
		on conflict (stream, durable) do update set created = $3, last_seq = $4, durable_created = $5, deliveries = $6`,
		[stream, durable, mark.created, mark.lastSeq, mark.durableCreated, mark.deliveries],
		"carrier-heard-save",
	);
}
