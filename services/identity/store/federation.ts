// Identities at issuers, what user directories said of people, and the codes of browsers that come back.
import { createHash } from "node:crypto";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { LinkedIdentity } from "../../contracts/federation.ts";
import type { Account } from "../../contracts/identity.ts";
import type { Claimed } from "../domain/federation.ts";

export interface IdentityRow {
	id: string;
	accountId: string;
	email: string | null;
	name: string | null;
	proven: boolean;
}

type Subject = Pick<Claimed, "issuer" | "subject">;

/** Whatever is decided of one identity is decided once at a time, also while it is not there yet. */
export async function lockSubject(tx: Tx, { issuer, subject }: Subject): Promise<void> {
	const key = JSON.stringify(["identity", issuer, subject]);
	await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [key], "identity-lock");
}

export async function findIdentity(db: Queryable, { issuer, subject }: Subject): Promise<IdentityRow | undefined> {
	const [row] = await db.query<IdentityRow>(
		`select id, account_id as "accountId", email, name, proven from identities where issuer = $1 and subject = $2`,
		[issuer, subject],
		"identity-find",
	);
	return row;
}

export interface NewIdentity extends Claimed {
	id: string;
	accountId: string;
	provider: string;
	proven: boolean;
}

/** Links, or links anew: to another account than before. */
export async function saveIdentity(tx: Tx, identity: NewIdentity, now: Date): Promise<LinkedIdentity> {
	const { id, accountId, provider, issuer, subject, email, name, proven } = identity;
	const [row] = await tx.query<LinkedIdentity>(
		`insert into identities (id, account_id, provider, issuer, subject, email, name, proven, created_at, last_used_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
		on conflict on constraint identities_subject do update set id = $1, account_id = $2, provider = $3, email = $6, name = $7, proven = $8, created_at = $9, last_used_at = $9
		returning id, provider, email, created_at as "createdAt", last_used_at as "lastUsedAt"`,
		[id, accountId, provider, issuer, subject, email, name, proven, now],
	);
	return row as LinkedIdentity;
}

/** What an issuer says now of one who comes again. What it does not say is not forgotten. */
export async function touchIdentity(tx: Tx, id: string, said: Pick<Claimed, "email" | "name">, proven: boolean, now: Date): Promise<void> {
	await tx.query(
		"update identities set email = coalesce($2, email), name = coalesce($3, name), proven = proven or $4, last_used_at = $5 where id = $1",
		[id, said.email, said.name, proven, now],
		"identity-touch",
	);
}

export const identitiesOf = (db: Queryable, accountId: string, after: string | null, limit: number): Promise<LinkedIdentity[]> =>
	db.query<LinkedIdentity>(
		`select id, provider, email, created_at as "createdAt", last_used_at as "lastUsedAt" from identities
		where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
		[accountId, after, limit],
	);

export async function countIdentities(tx: Tx, accountId: string): Promise<number> {
	const [row] = await tx.query<{ n: number }>("select count(*)::int as n from identities where account_id = $1", [accountId]);
	return row?.n ?? 0;
}

/** Answers its provider; undefined where the account has no such identity. */
export async function deleteIdentity(tx: Tx, accountId: string, id: string): Promise<string | undefined> {
	const gone = "delete from identities where id = $1 and account_id = $2 returning provider";
	return (await tx.query<{ provider: string }>(gone, [id, accountId]))[0]?.provider;
}

/** Two who take a way to sign in away from one account meet here. */
export async function lockAccount(tx: Tx, accountId: string): Promise<{ passwordHash: string | null } | undefined> {
	const [row] = await tx.query<{ passwordHash: string | null }>(
		`select password_hash as "passwordHash" from accounts where id = $1 for update`,
		[accountId],
	);
	return row;
}

export async function setState(tx: Tx, accountId: string, state: Account["state"], now: Date): Promise<void> {
	await tx.query("update accounts set state = $2, updated_at = $3 where id = $1", [accountId, state, now]);
}

/** Takes note of what a directory says; false where it has said something newer, or that the person is gone. */
export async function noteVersion(tx: Tx, { issuer, subject }: Subject, version: number): Promise<boolean> {
	const noted = await tx.query(
		`insert into directory_users (issuer, subject, version) values ($1, $2, $3)
		on conflict (issuer, subject) do update set version = $3 where directory_users.version < $3 and directory_users.deleted_at is null
		returning 1`,
		[issuer, subject, version],
	);
	return noted.length > 0;
}

export async function noteDeletion(tx: Tx, { issuer, subject }: Subject, now: Date): Promise<void> {
	await tx.query(
		`insert into directory_users (issuer, subject, version, deleted_at) values ($1, $2, 0, $3)
		on conflict (issuer, subject) do update set deleted_at = coalesce(directory_users.deleted_at, $3)`,
		[issuer, subject, now],
	);
}

export async function isDeleted(db: Queryable, { issuer, subject }: Subject): Promise<boolean> {
	const gone = "select 1 from directory_users where issuer = $1 and subject = $2 and deleted_at is not null";
	return (await db.query(gone, [issuer, subject], "directory-deleted")).length > 0;
}

/** False where this message was heard before. */
export async function hearWebhook(tx: Tx, source: string, id: string, now: Date): Promise<boolean> {
	const heard = "insert into webhooks_heard (source, id, at) values ($1, $2, $3) on conflict do nothing returning 1";
	return (await tx.query(heard, [source, id, now])).length > 0;
}

export interface SignInCode {
	/** Null for one that links. */
	accountId: string | null;
	/** Whether the account was made by this sign-in. */
	created: boolean;
	provider: string;
	/** Who is to be linked; null for one that signs in. */
	claimed: Claimed | null;
	/** When they proved who they are, for a step-up (ISO 8601); null for one that is none. */
	provedAt: string | null;
	challenge: string | null;
}

/** A code is known by its hash only. */
const hashOf = (code: string): Buffer => createHash("sha256").update(code).digest();

export async function insertCode(tx: Queryable, code: string, kept: SignInCode, expiresAt: Date): Promise<void> {
	const { accountId, created, provider, claimed, provedAt, challenge } = kept;
	await tx.query(
		`insert into sign_in_codes (hash, account_id, created, provider, claimed, proved_at, challenge, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		[hashOf(code), accountId, created, provider, claimed && JSON.stringify(claimed), provedAt, challenge, expiresAt],
	);
}

/** Uses a code up; undefined for one that is unknown, used or expired. */
export async function takeCode(tx: Tx, code: string, now: Date): Promise<SignInCode | undefined> {
	const [row] = await tx.query<SignInCode>(
		`delete from sign_in_codes where hash = $1 and expires_at > $2
		returning account_id as "accountId", created, provider, claimed, proved_at as "provedAt", challenge`,
		[hashOf(code), now],
	);
	return row;
}

const KEEP_WEBHOOKS_MS = 35 * 86_400_000;

/** Codes that have expired; messages so old that nobody repeats them. */
export async function sweepFederation(db: Queryable, now: Date): Promise<void> {
	await db.query("delete from sign_in_codes where expires_at < $1", [now]);
	await db.query("delete from webhooks_heard where at < $1", [new Date(now.getTime() - KEEP_WEBHOOKS_MS)]);
}
