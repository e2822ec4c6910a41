// Refresh tokens of sessions. They are stored as hashes: who reads the table can use none.
import { createHash } from "node:crypto";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { RefreshUse } from "../domain/rotation.ts";

/** A refresh token is known by its hash only. */
const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

export async function insertRefreshToken(tx: Tx, sessionId: string, token: string, now: Date): Promise<void> {
	await tx.query(
		"insert into refresh_tokens (hash, session_id, created_at) values ($1, $2, $3)",
		[hashOf(token), sessionId, now],
		"refresh-insert",
	);
}

/** A refresh token with what its use hangs on. */
export interface RefreshRow extends Omit<RefreshUse, "askingDevice"> {
	sessionId: string;
	accountId: string;
	profileId: string;
	authTime: string;
	acr: string;
}

/** Of a session, what says whether its tokens are good. */
export interface TokenState {
	endedAt: string | null;
	expiresAt: string;
}

/** A refresh token as it is now, whether it may still be used or not. */
export async function findRefreshToken(
	db: Queryable,
	token: string,
): Promise<(TokenState & { sessionId: string; accountId: string; usedAt: string | null; createdAt: string }) | undefined> {
	const [row] = await db.query<TokenState & { sessionId: string; accountId: string; usedAt: string | null; createdAt: string }>(
		`select s.id as "sessionId", s.account_id as "accountId", t.used_at as "usedAt", t.created_at as "createdAt",
			s.ended_at as "endedAt", s.expires_at as "expiresAt"
		from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1`,
		[hashOf(token)],
		"refresh-state",
	);
	return row;
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
			coalesce(s.auth_time, s.created_at) as "authTime", s.acr, s.ended_at as "endedAt", s.expires_at as "expiresAt"
		from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1`,
		[hash],
		"refresh-find",
	);
	return row;
}

/**
 * One more token of a session beside those that were not used yet (in truth one): they are good until it is used, in case its
 * answer is lost.
 */
export async function supersedeRefreshTokens(tx: Tx, sessionId: string, token: string, now: Date): Promise<void> {
	await tx.query("update refresh_tokens set successor = $2 where session_id = $1 and used_at is null", [sessionId, hashOf(token)]);
	await insertRefreshToken(tx, sessionId, token, now);
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
