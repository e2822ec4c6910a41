// What mixins keep in every node that may be of a person: facts told and heard, answers kept for an Idempotency-Key, and who was erased.
import { DELETED } from "../../services/contracts/persons.ts";
import type { Db, Queryable } from "../postgres.ts";

/** So many rows are looked at in one statement: it ends long before a statement's time is over. */
const PORTION = 20_000;
/** Facts come for 60 days at the most (mixins/facts/inbox.ts); after that nobody asks. */
const KNOWN_DAYS = 65;
/** Facts of the erasure itself say who, and nothing else: nodes that were away must still be told. */
const NOT_ERASURE = "type <> 'identity.account.erased' and type not like '%.person.erased'";

/** Remembers who was erased, before anything of them goes. */
export async function rememberErased(db: Queryable, ids: readonly string[], now: Date): Promise<void> {
	await db.query("insert into erased_people (id, at) select id, $2::timestamptz from unnest($1::uuid[]) as t (id) on conflict do nothing", [
		ids,
		now,
	]);
	await db.query("delete from erased_people where at < $1", [new Date(now.getTime() - KNOWN_DAYS * 86_400_000)]);
}

/** Those of the profiles or accounts that were erased; nobody (`DELETED`) is one of them. */
export async function erasedAmong(db: Queryable, ids: readonly string[]): Promise<Set<string>> {
	const rows = await db.query<{ id: string }>("select id from erased_people where id = any($1::uuid[])", [ids], "erased-among");
	return new Set([DELETED.profileId, ...rows.map(({ id }) => id)]);
}

type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/** What profiles say of a person, in whatever has their id; and what stands there when nobody is left. */
const SHOWN: Readonly<Record<string, JsonValue>> = {
	displayName: DELETED.displayName,
	inviterName: DELETED.displayName,
	bio: null,
	avatar: null,
};

/** The same without the person: their ids are nobody's, and what is shown of somebody beside one is nobody's, too. */
export function without(value: JsonValue, ids: ReadonlySet<string>): JsonValue {
	if (typeof value === "string") return ids.has(value) ? DELETED.profileId : value;
	if (typeof value !== "object" || value === null) return value;
	if (Array.isArray(value)) return value.map((item) => without(item, ids));
	const theirs = Object.values(value).some((field) => typeof field === "string" && ids.has(field));
	const fields = Object.entries(value).map(([name, field]) => [
		name,
		theirs && Object.hasOwn(SHOWN, name) ? (SHOWN[name] as JsonValue) : without(field, ids),
	]);
	return Object.fromEntries(fields) as JsonValue;
}

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Every id that stands in a value. */
export function idsIn(value: unknown, found: Set<string> = new Set()): Set<string> {
	if (typeof value === "string") {
		if (ID.test(value)) found.add(value);
	} else if (typeof value === "object" && value !== null) for (const part of Object.values(value)) idsIn(part, found);
	return found;
}

interface Row {
	at: string;
	aggregate: string;
	actor: string | null;
	payload: JsonValue;
}

/** The texts of the columns that are to be written, one list for each. */
function written(rows: readonly (Row & { key: string })[], ids: ReadonlySet<string>): unknown[] {
	return [
		JSON.stringify(
			rows.map(({ key, aggregate, actor, payload }) => ({
				key,
				aggregate: ids.has(aggregate) ? DELETED.profileId : aggregate,
				actor: actor !== null && ids.has(actor) ? null : actor,
				payload: without(payload, ids),
			})),
		),
	];
}
const given = "json_to_recordset($1::json) as f(key text, aggregate text, actor uuid, payload json)";
const names = (ids: ReadonlySet<string>) => [[...ids], [...ids].map((id) => `%${id}%`)];
const theirs = "(actor = any($1::uuid[]) or aggregate = any($1::text[]) or payload::text like any($2::text[]))";

/** The facts this node has told: they stay, since they are the past, and are nobody's. */
async function forgetTold(db: Db, ids: ReadonlySet<string>, since: string): Promise<void> {
	const [range] = await db.query<{ first: number | null; last: number | null }>(
		"select min(id) as first, max(id) as last from outbox where at >= $1",
		[since],
	);
	if (!range?.first || !range.last) return;
	for (let from = range.first; from <= range.last; from += PORTION) {
		const rows = await db.query<Row & { key: string }>(
			`select id::text as key, at, aggregate, actor, payload from outbox
			where id >= $3 and id < $4 and at >= $5 and ${NOT_ERASURE} and ${theirs}`,
			[...names(ids), from, from + PORTION, since],
		);
		if (rows.length === 0) continue;
		await db.query(
			`update outbox o set aggregate = f.aggregate, actor = f.actor, payload = f.payload from ${given}
			where o.id = f.key::bigint and o.at >= $2`,
			[...written(rows, ids), since],
		);
	}
}

/** Facts heard and handled, and dead letters. What still waits is handled as it is, and goes with the others when it is old. */
async function forgetHeard(db: Db, ids: ReadonlySet<string>): Promise<void> {
	const consumers = await db.query<{ consumer: string }>("select distinct consumer from inbox");
	for (const { consumer } of consumers) {
		for (let after: string | null = DELETED.profileId; after !== null; ) {
			const [last]: { id: string }[] = await db.query<{ id: string }>(
				"select fact_id as id from inbox where consumer = $1 and fact_id > $2 order by fact_id offset $3 limit 1",
				[consumer, after, PORTION],
			);
			const rows = await db.query<Row & { key: string }>(
				`select fact_id::text as key, at, aggregate, actor, payload from inbox
				where consumer = $3 and fact_id > $4 and ($5::uuid is null or fact_id <= $5) and (handled_at is not null or dead_at is not null)
					and ${NOT_ERASURE} and ${theirs}`,
				[...names(ids), consumer, after, last?.id ?? null],
			);
			if (rows.length > 0)
				await db.query(
					`update inbox i set aggregate = f.aggregate, actor = f.actor, payload = f.payload, cause = null from ${given}
					where i.consumer = $2 and i.fact_id = f.key::uuid`,
					[...written(rows, ids), consumer],
				);
			after = last?.id ?? null;
		}
	}
}

/** Facts that were handled after the erasure of somebody they are about: told before it, or by a node that was later with it. */
export async function forgetLate(
	tx: Queryable,
	consumer: string,
	facts: readonly { id: string; type: string; at: string; aggregate: string; actor: string | null; payload: unknown }[],
	ids: ReadonlySet<string>,
): Promise<void> {
	const rows = facts
		.filter(({ type }) => type !== "identity.account.erased" && !type.endsWith(".person.erased"))
		.map(({ id, at, aggregate, actor, payload }) => ({ key: id, at, aggregate, actor, payload: payload as JsonValue }));
	await tx.query(
		`update inbox i set aggregate = f.aggregate, actor = f.actor, payload = f.payload, cause = null from ${given}
		where i.consumer = $2 and i.fact_id = f.key::uuid`,
		[...written(rows, ids), consumer],
	);
}

/** Answers that were kept for the person's requests; those of a request without a token are forgotten after two days. */
async function forgetAnswers(db: Db, ids: readonly string[]): Promise<void> {
	await db.query("delete from idempotency where split_part(scope, ' ', 1) = any($1::text[])", [ids]);
}

/** Erases a person from all of it. Safe to do twice. */
export async function forgetKept(db: Db, ids: readonly string[], since: string): Promise<void> {
	const all = new Set(ids);
	await forgetAnswers(db, ids);
	await forgetTold(db, all, since);
	await forgetHeard(db, all);
}
