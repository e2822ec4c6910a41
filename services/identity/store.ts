// The identity node's only way to its database: accounts, profiles, sessions, refresh tokens, keys, failures, audit.
import { createHash } from "node:crypto";
import { newId } from "../../mixins/id.ts";
import type { Db, Tx } from "../../mixins/postgres.ts";
import type { Account, Profile, Session } from "../contracts/identity.ts";
import type { Answer } from "../contracts/index.ts";
import type { KeyTimes } from "./domain/keys.ts";
import type { Failures } from "./domain/login.ts";
import { THROTTLE_WINDOW_MS } from "./domain/login.ts";

type Query = Pick<Tx, "query">;

export interface AccountRow extends Account {
	passwordHash: string;
	bannedUntil: string | null;
}

const accountColumns = `id, email, password_hash as "passwordHash", state, role, banned_until as "bannedUntil"`;
const profileColumns = `id, display_name as "displayName", kind`;

export async function findAccount(db: Query, by: { email: string } | { id: string }): Promise<AccountRow | undefined> {
	const [column, value] = "email" in by ? ["email", by.email] : ["id", by.id];
	const [row] = await db.query<AccountRow>(`select ${accountColumns} from accounts where ${column} = $1`, [value], `account-by-${column}`);
	return row;
}

/** The account as it is now; it cannot change until the transaction ends. */
export async function holdAccount(tx: Tx, id: string): Promise<AccountRow | undefined> {
	const [row] = await tx.query<AccountRow>(`select ${accountColumns} from accounts where id = $1 for share`, [id], "account-hold");
	return row;
}

export type AccountOverview = Omit<Answer<"accounts.show">, "profiles">;

/** What operators want to know of an account; of its sessions those that are open. */
export async function overviewOf(db: Query, email: string, now: Date): Promise<AccountOverview | undefined> {
	const [row] = await db.query<AccountOverview>(
		`select a.id, a.email, a.state, a.role, a.created_at as "createdAt", a.banned_until as "bannedUntil",
			count(s.id)::int as sessions, max(s.last_used_at) as "lastUsedAt"
		from accounts a left join sessions s on s.account_id = a.id and s.ended_at is null and s.expires_at > $2
		where a.email = $1 group by a.id`,
		[email, now],
	);
	return row;
}

export interface NewAccount extends Account {
	passwordHash: string;
	phone: string | null;
	language: string | null;
}

/** Throws the unique violation of `accounts_email` when the address has an account. */
export async function insertAccount(tx: Tx, account: NewAccount, now: Date): Promise<void> {
	await tx.query(
		`insert into accounts (id, email, password_hash, state, role, phone, language, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
		[account.id, account.email, account.passwordHash, account.state, account.role, account.phone, account.language, now],
	);
}

export const isEmailTaken = (error: unknown): boolean => {
	const { code, constraint } = error as { code?: unknown; constraint?: unknown };
	return code === "23505" && constraint === "accounts_email";
};

export async function updateRole(tx: Tx, accountId: string, role: Account["role"], now: Date): Promise<void> {
	await tx.query("update accounts set role = $2, updated_at = $3 where id = $1", [accountId, role, now]);
}

export async function insertProfile(tx: Tx, accountId: string, profile: Profile, now: Date): Promise<void> {
	await tx.query("insert into profiles (id, account_id, display_name, kind, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)", [
		profile.id,
		accountId,
		profile.displayName,
		profile.kind,
		now,
	]);
}

export function profilesOf(db: Query, accountId: string, after: string | null = null, limit = 1000): Promise<Profile[]> {
	return db.query<Profile>(
		`select ${profileColumns} from profiles where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
		[accountId, after, limit],
		"profiles-of",
	);
}

export async function findProfile(db: Query, profileId: string): Promise<Profile | undefined> {
	const [row] = await db.query<Profile>(`select ${profileColumns} from profiles where id = $1`, [profileId], "profile");
	return row;
}

export interface NewSession {
	id: string;
	accountId: string;
	profileId: string;
	device: string;
	address: string;
	expiresAt: Date;
}

export async function insertSession(tx: Tx, session: NewSession, now: Date): Promise<void> {
	await tx.query(
		`insert into sessions (id, account_id, profile_id, device, address, created_at, last_used_at, expires_at)
		values ($1, $2, $3, $4, $5, $6, $6, $7)`,
		[session.id, session.accountId, session.profileId, session.device, session.address, now, session.expiresAt],
	);
}

/** A refresh token is known by its hash only. */
const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

export async function insertRefreshToken(tx: Tx, sessionId: string, token: string, now: Date): Promise<void> {
	await tx.query(
		"insert into refresh_tokens (hash, session_id, created_at) values ($1, $2, $3)",
		[hashOf(token), sessionId, now],
		"refresh-insert",
	);
}

export interface RefreshRow {
	sessionId: string;
	accountId: string;
	profileId: string;
	usedDevice: string | null;
	usedAt: string | null;
	successorUsed: boolean;
	endedAt: string | null;
	expiresAt: string;
}

/** A refresh token with its session, which stays locked until the transaction ends: two parties at once meet here. */
export async function lockRefreshToken(tx: Tx, token: string): Promise<RefreshRow | undefined> {
	const hash = hashOf(token);
	await tx.query(
		"select 1 from sessions where id = (select session_id from refresh_tokens where hash = $1) for update",
		[hash],
		"refresh-lock",
	);
	const [row] = await tx.query<RefreshRow>(
		`select s.id as "sessionId", s.account_id as "accountId", s.profile_id as "profileId", t.used_device as "usedDevice", t.used_at as "usedAt",
			exists (select 1 from refresh_tokens n where n.hash = t.successor and n.used_at is not null) as "successorUsed",
			s.ended_at as "endedAt", s.expires_at as "expiresAt"
		from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1`,
		[hash],
		"refresh-find",
	);
	return row;
}

/** Uses a token up: from now on its successor counts. */
export async function rotateRefreshToken(
	tx: Tx,
	sessionId: string,
	token: string,
	successor: string,
	client: { device: string; address: string },
	now: Date,
): Promise<void> {
	await tx.query(
		"update refresh_tokens set used_at = $2, successor = $3, used_device = $4 where hash = $1",
		[hashOf(token), now, hashOf(successor), client.device],
		"refresh-used",
	);
	await insertRefreshToken(tx, sessionId, successor, now);
	await tx.query("update sessions set last_used_at = $2, address = $3 where id = $1", [sessionId, now, client.address], "session-used");
}

export interface EndedSession {
	sessionId: string;
	accountId: string;
}

/** Ends one session, or all of an account; answers those that were open. */
export function endSessions(
	tx: Tx,
	which: { sessionId: string } | { accountId: string },
	reason: string,
	now: Date,
): Promise<EndedSession[]> {
	const [column, value] = "sessionId" in which ? ["id", which.sessionId] : ["account_id", which.accountId];
	return tx.query<EndedSession>(
		`update sessions set ended_at = $2, end_reason = $3 where ${column} = $1 and ended_at is null returning id as "sessionId", account_id as "accountId"`,
		[value, now, reason],
	);
}

/** The open sessions of an account, newest first; `sessionId` is the current one. */
export function openSessions(
	db: Query,
	{ accountId, sessionId }: { accountId: string; sessionId: string },
	before: string | null,
	limit: number,
	now: Date,
): Promise<Session[]> {
	return db.query<Session>(
		`select id, device, address, created_at as "createdAt", last_used_at as "lastUsedAt", id = $2 as current from sessions
		where account_id = $1 and ended_at is null and expires_at > $3 and ($4::uuid is null or id < $4) order by id desc limit $5`,
		[accountId, sessionId, now, before, limit],
	);
}

export async function ownsSession(db: Query, accountId: string, sessionId: string): Promise<boolean> {
	return (
		(await db.query("select 1 from sessions where id = $1 and account_id = $2 and ended_at is null", [sessionId, accountId])).length > 0
	);
}

/** Sessions that ended after `since`. */
export function endedSince(db: Query, since: Date): Promise<{ sessionId: string; endedAt: string }[]> {
	return db.query(
		`select id as "sessionId", ended_at as "endedAt" from sessions where ended_at >= $1 order by ended_at`,
		[since],
		"sessions-ended",
	);
}

export interface KeyRow extends KeyTimes {
	id: string;
	publicJwk: Record<string, unknown>;
	privateSealed: Buffer;
}

/** Keys that are not retired, oldest first. */
export function livingKeys(db: Query, now: Date): Promise<KeyRow[]> {
	return db.query<KeyRow>(
		`select id, public_jwk as "publicJwk", private_sealed as "privateSealed", signs_from as "signsFrom", retired_at as "retiredAt"
		from signing_keys where retired_at > $1 order by signs_from`,
		[now],
		"keys",
	);
}

/** One process at a time makes a key. */
export async function lockKeys(tx: Tx): Promise<void> {
	await tx.query("select pg_advisory_xact_lock(hashtextextended('identity:keys', 0))");
}

export async function insertKey(tx: Tx, key: KeyRow, now: Date): Promise<void> {
	await tx.query(
		"insert into signing_keys (id, public_jwk, private_sealed, created_at, signs_from, retired_at) values ($1, $2, $3, $4, $5, $6)",
		[key.id, JSON.stringify(key.publicJwk), key.privateSealed, now, key.signsFrom, key.retiredAt],
	);
}

const emailHash = (email: string): Buffer => createHash("sha256").update(email).digest();

export async function addFailure(db: Query, email: string, address: string, now: Date): Promise<void> {
	await db.query(
		"insert into login_failures (email_hash, address, at) values ($1, $2, $3)",
		[emailHash(email), address, now],
		"failure-add",
	);
}

/** Wrong passwords in the window: for this account from this address, and from this address for any. */
export async function failuresOf(
	db: Query,
	email: string,
	address: string,
	limits: { account: number; address: number },
	now: Date,
): Promise<{ account: Failures; address: Failures }> {
	const since = new Date(now.getTime() - THROTTLE_WINDOW_MS);
	const [account] = await db.query<Failures>(
		`select count(*)::int as count, (array_agg(at order by at desc))[$4] as oldest from login_failures where email_hash = $1 and address = $2 and at > $3`,
		[emailHash(email), address, since, limits.account],
		"failures-account",
	);
	const [anywhere] = await db.query<Failures>(
		"select count(*)::int as count, (array_agg(at order by at desc))[$3] as oldest from login_failures where address = $1 and at > $2",
		[address, since, limits.address],
		"failures-address",
	);
	return { account: account ?? { count: 0, oldest: null }, address: anywhere ?? { count: 0, oldest: null } };
}

/** A right password forgives what its owner mistyped from there. */
export async function forgetFailures(db: Query, email: string, address: string): Promise<void> {
	await db.query("delete from login_failures where email_hash = $1 and address = $2", [emailHash(email), address], "failures-forget");
}

/** What no rule looks at any more: failures out of the window, tokens and sessions long over. */
export async function sweep(db: Db, now: Date): Promise<void> {
	const ago = (ms: number) => new Date(now.getTime() - ms);
	await db.query("delete from login_failures where at < $1", [ago(THROTTLE_WINDOW_MS)]);
	await db.query("delete from sessions where expires_at < $1 or ended_at < $1", [ago(30 * 86_400_000)]);
	await db.query("delete from signing_keys where retired_at < $1", [now]);
}

export interface AuditEntry {
	actor: string | null;
	action: string;
	target: string;
	requestId: string | null;
	detail: Record<string, unknown>;
}

export async function addAudit(tx: Query, entry: AuditEntry, now: Date): Promise<void> {
	await tx.query("insert into audit (id, at, actor, action, target, request_id, detail) values ($1, $2, $3, $4, $5, $6, $7)", [
		newId(),
		now,
		entry.actor,
		entry.action,
		entry.target,
		entry.requestId,
		JSON.stringify(entry.detail),
	]);
}
