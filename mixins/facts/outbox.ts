// The outbox: a node's own log of the facts it told. A row is written with the state it speaks of, and never deleted:
// `sent_at` marks it as carried, so that rules can be replayed over the past and a wiped carrier can be refilled.
import type { Db, Tx } from "../postgres.ts";
import type { AnyFact } from "../../services/contracts/index.ts";
import type { Cause, NewFact } from "./fact.ts";
import { toFact } from "./fact.ts";

/** One outbox row for each element of the JSON array `$n`: used alone and inside other nodes' statements. */
export const outboxInsert = (parameter: string) => `
	insert into outbox (fact_id, type, version, aggregate, at, request_id, actor, payload)
	select id, type, version, aggregate, at, "requestId", actor, payload
	from json_to_recordset(${parameter}::json) as f(
		id uuid, type text, version integer, aggregate text, at timestamptz, "requestId" text, actor uuid, payload json
	)`;

/** Writes facts in the transaction of their effect. Nothing is told when the transaction rolls back. */
export async function tellFacts(tx: Tx, cause: Cause, facts: NewFact[]): Promise<void> {
	await tellEach(
		tx,
		facts.map((fact) => ({ ...fact, cause })),
	);
}

/** A fact with a cause of its own: what a consumer tells in one go has as many causes as its portion. */
export type Told = NewFact & { cause: Cause };

/** The same for facts of several causes. */
export async function tellEach(tx: Tx, facts: Told[]): Promise<void> {
	if (facts.length === 0) return;
	const at = new Date();
	const rows = facts.map((fact) => toFact(fact, fact.cause, at));
	await tx.query(outboxInsert("$1"), [JSON.stringify(rows)], "outbox-insert");
}

export type OutboxRow = AnyFact & { row: number };

/** The rows' facts alone. */
export const toFacts = (rows: readonly OutboxRow[]): AnyFact[] => rows.map(({ row: _row, ...fact }) => fact as AnyFact);

const columns = `id as row, fact_id as id, type, version, aggregate, at, request_id as "requestId", actor, payload`;

/** Facts not carried yet, oldest first. Rows that committed late are found by being unsent, not by their number. */
export function unsentFacts(tx: Tx, limit: number): Promise<OutboxRow[]> {
	return tx.query<OutboxRow>(`select ${columns} from outbox where sent_at is null order by outbox.id limit $1`, [limit], "outbox-unsent");
}

/** Facts by their rows' numbers, sent or not: those after the first and up to the second, oldest first. */
export function factsBetween(tx: Tx, after: number, until: number, limit: number): Promise<OutboxRow[]> {
	return tx.query<OutboxRow>(
		`select ${columns} from outbox where id > $1 and id <= $2 order by outbox.id limit $3`,
		[after, until, limit],
		"outbox-between",
	);
}

/** The numbers of the rows since a time, fit for `factsBetween`; null where there are none. */
export async function rowsSince(tx: Tx, since: Date): Promise<{ after: number; until: number } | null> {
	const [row] = await tx.query<{ first: number | null; last: number | null }>(
		"select min(id) as first, max(id) as last from outbox where at >= $1",
		[since],
	);
	return row?.first && row.last ? { after: row.first - 1, until: row.last } : null;
}

export async function markSent(tx: Tx, rows: OutboxRow[], now: Date): Promise<void> {
	const times = rows.map((row) => Date.parse(row.at));
	await tx.query(
		`update outbox set sent_at = $1 where id = any($2::bigint[]) and sent_at is null and at between $3 and $4`,
		// What was written by SQL has microseconds, which we cut off: the last of them is a millisecond later at the most.
		[now, rows.map((row) => row.row), new Date(Math.min(...times)), new Date(Math.max(...times) + 1)],
		"outbox-sent",
	);
}

/** How many facts since a time were carried. */
export async function sentSince(tx: Tx, since: Date): Promise<number> {
	const [row] = await tx.query<{ count: number }>("select count(*)::int as count from outbox where sent_at is not null and at >= $1", [
		since,
	]);
	return row?.count ?? 0;
}

/** How many facts wait to be carried. */
export async function unsentCount(db: Db): Promise<number> {
	const [row] = await db.query<{ count: number }>("select count(*)::int as count from outbox where sent_at is null");
	return row?.count ?? 0;
}

/**
 * Makes the partitions of this month and the next two. Until a month has its own, its rows go to the default
 * partition, so a clock that jumps loses nothing.
 */
export async function makePartitions(db: Db, now: Date): Promise<void> {
	for (let ahead = 0; ahead < 3; ahead++) {
		const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
		const until = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + 1, 1));
		const name = `outbox_${from.toISOString().slice(0, 7).replace("-", "_")}`;
		const [known] = await db.query("select 1 from pg_class where relname = $1 and relnamespace = current_schema()::regnamespace", [name]);
		if (known) continue;
		const [strays] = await db.query("select 1 from outbox_default where at >= $1 and at < $2 limit 1", [from, until]);
		if (strays) continue;
		await db.tx(async (tx) => {
			// Processes that start at once must not trip over each other.
			await tx.query("select pg_advisory_xact_lock(hashtextextended(current_schema() || '_partitions', 0))");
			await tx.query(
				`create table if not exists ${name} partition of outbox for values from ('${from.toISOString()}') to ('${until.toISOString()}')`,
			);
		});
	}
}
