// The inbox engine: takes facts once per consumer, in order per aggregate, in one transaction with their effect;
// with back-off, and dead letters that hold back only their own aggregate. The same in one process and in a cluster.
import type { ServiceBroker } from "moleculer";
import type { FactName } from "../../services/contracts/index.ts";
import type { Db, Queryable, Tx } from "../postgres.ts";
import { isUnavailable } from "../postgres.ts";
import { forgetLate, idsIn } from "../person/forget.ts";
import type { AnyFact } from "../../services/contracts/index.ts";

export interface Consumer {
	/** The facts it hears. */
	facts: readonly FactName[];
	/**
	 * Handles a portion in one transaction, oldest first. A throw undoes all of it; the engine then tries them one by
	 * one, so that only the failing fact waits. Reads and writes go through `tx` only: what else it touches may happen twice.
	 */
	handle(facts: AnyFact[], tx: Tx, tools: { broker: ServiceBroker }): Promise<void>;
	/** Tries before it is a dead letter. Default 10: with the default back-off about two minutes. */
	maxTries?: number;
	/** First pause after a failure, in ms; doubled each time, at most a minute. Default 200. */
	backoff?: number;
}

const PORTION = 500;
const BUSY_RETRY = 100;
const LONGEST_PAUSE = 60_000;
/**
 * Handled rows are kept so long (days) to know a fact that comes again. A stream keeps a fact for 30 days, and is filled again with
 * facts that are 30 days old: none comes when it is older than 60.
 */
const KEEP_HANDLED_DAYS = 65;

/** Stores facts for each consumer that hears them; one it has already is left as it is. */
export async function receive(db: Queryable, consumers: Record<string, Consumer>, facts: AnyFact[]): Promise<void> {
	const now = new Date().toISOString();
	const rows = Object.entries(consumers).flatMap(([consumer, { facts: heard }]) =>
		facts.filter((fact) => heard.includes(fact.type)).map((fact) => ({ ...fact, consumer, receivedAt: now })),
	);
	await db.query(
		`insert into inbox (consumer, fact_id, type, version, aggregate, at, request_id, actor, payload, received_at)
		select consumer, id, type, version, aggregate, at, "requestId", actor, payload, "receivedAt"
		from json_to_recordset($1::json) as f(
			consumer text, id uuid, type text, version integer, aggregate text, at timestamptz, "requestId" text, actor uuid,
			payload json, "receivedAt" timestamptz
		)
		on conflict (consumer, fact_id) do nothing`,
		[JSON.stringify(rows)],
		"inbox-receive",
	);
}

type Waiting = AnyFact & { tries: number };

/**
 * What is ready for a consumer: due, and behind nothing of its own aggregate that waits or is dead. Planned anew each time: a plan
 * made for an empty inbox takes longer than a statement may (30 s) when 15,000 facts come at once.
 */
function ready(tx: Tx, consumer: string, now: Date): Promise<Waiting[]> {
	return tx.query<Waiting>(
		`select fact_id as id, type, version, aggregate, at, request_id as "requestId", actor, payload, tries
		from inbox i
		where consumer = $1 and handled_at is null and dead_at is null and (next_try_at is null or next_try_at <= $2)
			and not exists (
				select 1 from inbox held
				where held.consumer = $1 and held.aggregate = i.aggregate and held.position < i.position
					and held.handled_at is null and held.tries > 0 and (held.dead_at is not null or held.next_try_at > $2)
			)
		order by position
		limit $3`,
		[consumer, now, PORTION],
	);
}

async function take(tx: Tx, consumer: string): Promise<boolean> {
	const [lock] = await tx.query<{ mine: boolean }>(
		"select pg_try_advisory_xact_lock(hashtextextended(current_schema() || $1, 1)) as mine",
		[consumer],
		"inbox-lock",
	);
	return lock?.mine ?? false;
}

/** Of who was erased meanwhile a fact keeps nothing any more (mixins/person/forget.ts has swept those that were handled before). */
async function markHandled(tx: Tx, consumer: string, facts: AnyFact[], now: Date): Promise<void> {
	const named = facts.map((fact) => ({ fact, ids: idsIn([fact.aggregate, fact.actor, fact.payload]) }));
	const erased = await tx.query<{ id: string }>(
		`with handled as (update inbox set handled_at = $1, next_try_at = null where consumer = $2 and fact_id = any($3::uuid[]))
		select id from erased_people where id = any($4::uuid[])`,
		[now, consumer, facts.map((fact) => fact.id), [...new Set(named.flatMap(({ ids }) => [...ids]))]],
		"inbox-handled",
	);
	if (erased.length === 0) return;
	const gone = new Set(erased.map(({ id }) => id));
	const about = named.filter(({ ids }) => !ids.isDisjointFrom(gone)).map(({ fact }) => fact);
	await forgetLate(tx, consumer, about, gone);
}

/** When the next waiting fact is due, in ms from now; null when none waits. */
async function nextDue(db: Db, consumer: string, now: Date): Promise<number | null> {
	const [row] = await db.query<{ at: string | null }>(
		"select min(next_try_at) as at from inbox where consumer = $1 and handled_at is null and dead_at is null and tries > 0 and next_try_at > $2",
		[consumer, now],
		"inbox-due",
	);
	return row?.at ? Math.max(10, Date.parse(row.at) - now.getTime()) : null;
}

async function fail(db: Db, name: string, consumer: Consumer, fact: Waiting, error: unknown): Promise<void> {
	const tries = fact.tries + 1;
	const dead = tries >= (consumer.maxTries ?? 10);
	const pause = Math.min(LONGEST_PAUSE, (consumer.backoff ?? 200) * 2 ** (tries - 1));
	const now = Date.now();
	await db.query(
		`update inbox set tries = $1, next_try_at = $2, dead_at = $3, cause = $4
		where consumer = $5 and fact_id = $6 and handled_at is null`,
		[
			tries,
			new Date(now + pause),
			dead ? new Date(now) : null,
			String(error instanceof Error ? error.stack : error).slice(0, 4000),
			name,
			fact.id,
		],
	);
}

/** Works one portion for one consumer; answers when to come again (ms), or null when nothing waits. */
export async function workInbox(
	db: Db,
	name: string,
	consumer: Consumer,
	broker: ServiceBroker,
	onFailure: (fact: AnyFact, error: unknown) => void,
): Promise<number | null> {
	const now = new Date();
	let portion: Waiting[] = [];
	try {
		const done = await db.tx(async (tx) => {
			// Together: one way to the database and back. What is read comes after the lock.
			const [mine, waiting] = await Promise.all([take(tx, name), ready(tx, name, now)]);
			if (!mine) return BUSY_RETRY;
			portion = waiting;
			if (portion.length === 0) return -1;
			await consumer.handle(portion, tx, { broker });
			await markHandled(tx, name, portion, now);
			return portion.length === PORTION ? 0 : -1;
		});
		return done >= 0 ? done : await nextDue(db, name, now);
	} catch (error) {
		if (portion.length === 0) throw error;
		return oneByOne(db, name, consumer, broker, portion, onFailure);
	}
}

type Outcome = "done" | "held" | "taken over";

/** The portion failed as a whole: each fact in a transaction of its own, so that only the guilty one waits. Answers as `workInbox`. */
async function oneByOne(
	db: Db,
	name: string,
	consumer: Consumer,
	broker: ServiceBroker,
	portion: Waiting[],
	onFailure: (fact: AnyFact, error: unknown) => void,
): Promise<number> {
	const held = new Set<string>();
	for (const fact of portion) {
		if (held.has(fact.aggregate)) continue;
		try {
			const outcome = await db.tx<Outcome>(async (tx) => {
				if (!(await take(tx, name))) return "taken over";
				// Another process may have worked on it since the portion was read.
				const [row] = await tx.query<{ handled: boolean; tries: number }>(
					"select handled_at is not null as handled, tries from inbox where consumer = $1 and fact_id = $2",
					[name, fact.id],
				);
				if (row?.handled) return "done";
				if (row?.tries !== fact.tries) return "held";
				await consumer.handle([fact], tx, { broker });
				await markHandled(tx, name, [fact], new Date());
				return "done";
			});
			if (outcome === "taken over") return BUSY_RETRY;
			if (outcome === "held") held.add(fact.aggregate);
		} catch (error) {
			// The database being away is no fault of the fact: no try is counted.
			if (isUnavailable(error)) throw error;
			held.add(fact.aggregate);
			onFailure(fact, error);
			await fail(db, name, consumer, fact, error);
		}
	}
	return 0;
}

export interface DeadLetter {
	consumer: string;
	factId: string;
	type: string;
	aggregate: string;
	tries: number;
	deadAt: string;
	cause: string;
}

/** Facts that were given up, oldest first, with their cause. */
export function deadLetters(db: Db): Promise<DeadLetter[]> {
	return db.query<DeadLetter>(
		`select consumer, fact_id as "factId", type, aggregate, tries, dead_at as "deadAt", cause
		from inbox where dead_at is not null and handled_at is null order by position`,
	);
}

/** Gives dead letters another life: all of them, or one. Answers how many. */
export async function replayDeadLetters(db: Db, factId?: string): Promise<number> {
	const rows = await db.query(
		`update inbox set dead_at = null, next_try_at = null, tries = 0
		where dead_at is not null and handled_at is null and ($1::uuid is null or fact_id = $1) returning fact_id`,
		[factId ?? null],
	);
	await db.query("select pg_notify(current_schema() || '_inbox', '')");
	return rows.length;
}

/** Forgets handled facts that no carrier can bring again. */
export async function forgetHandled(db: Db, now: Date): Promise<void> {
	await db.query("delete from inbox where handled_at < $1", [new Date(now.getTime() - KEEP_HANDLED_DAYS * 86_400_000)]);
}
