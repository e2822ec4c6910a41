// What was done to accounts and sessions, by whom: kept for good, as one chain. An entry is linked at the commit of its
// transaction by the database (migration 0008); here it is written, read, and held against the chain.
import { createHash, randomUUID } from "node:crypto";
import { newId } from "../../../mixins/id.ts";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Json } from "../../contracts/schema.ts";
import type { ChainedEntry } from "../domain/chain.ts";

type Said = Record<string, unknown>;
/** The same, read. */
type Kept = Record<string, Json>;

export interface AuditEntry {
	/** The account whose doing it was; null for an operator, and for what happens by itself. */
	actor: string | null;
	/** `account.ban`: what was done, to what. */
	action: string;
	/** The id of what it was done to. */
	target: string;
	requestId: string | null;
	/** What was changed, as it was and as it is: nothing secret, and nothing that names a person. */
	before?: Said | undefined;
	after?: Said | undefined;
	/** What else there is to say. */
	detail?: Said | undefined;
	/** What of the two names a person (an e-mail, an address): it is erased with them. */
	personal?: { before?: Said; after?: Said } | undefined;
}

export async function addAudit(tx: Queryable, entry: AuditEntry, now: Date): Promise<void> {
	const { before, after, detail = {}, personal } = entry;
	// Salted: its hash stays when it goes, and must not be guessed.
	const kept = personal && JSON.stringify({ salt: randomUUID(), ...personal });
	await tx.query(
		`insert into audit (id, at, actor, action, target, request_id, before, after, detail, personal, personal_hash)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		[
			newId(),
			now,
			entry.actor,
			entry.action,
			entry.target,
			entry.requestId,
			before && JSON.stringify(before),
			after && JSON.stringify(after),
			JSON.stringify(detail),
			kept,
			kept && createHash("sha256").update(kept).digest(),
		],
	);
}

/** Erases what names a person in all that was done to their account or their sessions; the entries stay, and so does the chain. */
export async function forgetInAudit(tx: Tx, accountId: string): Promise<void> {
	await tx.query("update audit set personal = null where personal is not null and (target = $1 or detail ->> 'accountId' = $1)", [
		accountId,
	]);
}

export interface AuditRow {
	seq: number;
	id: string;
	at: string;
	actor: string | null;
	action: string;
	target: string;
	requestId: string | null;
	before: Kept | null;
	after: Kept | null;
	detail: Kept;
	personal: { before?: Kept; after?: Kept } | null;
	hash: string;
}

export interface AuditFilter {
	actor?: string;
	action?: string;
	target?: string;
	from?: string;
	to?: string;
}

/** Entries, newest first. */
export function auditEntries(db: Queryable, filter: AuditFilter, before: number | null, limit: number): Promise<AuditRow[]> {
	return db.query<AuditRow>(
		`select seq, id, at, actor, action, target, request_id as "requestId", before, after, detail, personal, encode(hash, 'hex') as hash
		from audit
		where seq is not null and ($1::uuid is null or actor = $1) and ($2::text is null or action = $2) and ($3::text is null or target = $3)
			and ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5) and ($6::bigint is null or seq < $6)
		order by seq desc limit $7`,
		[filter.actor ?? null, filter.action ?? null, filter.target ?? null, filter.from ?? null, filter.to ?? null, before, limit],
	);
}

/** Where the chain ends. */
export async function auditHead(db: Queryable): Promise<{ seq: number; hash: string }> {
	const [head] = await db.query<{ seq: number; hash: string }>("select seq, encode(hash, 'hex') as hash from audit_head");
	return head ?? { seq: 0, hash: "" };
}

/** A portion of the chain as it was hashed, in its order. */
export function chainedEntries(db: Queryable, after: number, limit: number): Promise<ChainedEntry[]> {
	return db.query<ChainedEntry>(
		`select seq, id, at, action, encode(hash, 'hex') as hash, personal::text as personal, encode(personal_hash, 'hex') as "personalHash",
			json_build_array(seq, id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor, action,
				target, request_id, before, after, detail, encode(personal_hash, 'hex'))::text as words
		from audit where seq > $1 order by seq limit $2`,
		[after, limit],
	);
}

/** Entries that are in no chain: nobody but who went past the trigger leaves any. */
export function unchainedEntries(db: Queryable): Promise<{ id: string; at: string; action: string }[]> {
	return db.query("select id, at, action from audit where seq is null order by at, id limit 1");
}
