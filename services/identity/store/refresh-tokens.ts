// Refresh tokens of sessions. They are stored as hashes: who reads the table can use none.
import { createHash } from "node:crypto";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Profile } from "../../contracts/identity.ts";
import type { RefreshUse } from "../domain/rotation.ts";
import type { AccountRow, Kept } from "./accounts.ts";
import { accountColumns, present } from "./accounts.ts";

/** A refresh token is known by its hash only. */
const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

/** Not waited for: where it fails, the transaction does. */
export function insertRefreshToken(tx: Tx, sessionId: string, token: string, now: Date): void {
	tx.send(
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
	/** Undefined where it is gone; so is the profile. */
	account: AccountRow | undefined;
	profile: Pick<Profile, "id" | "displayName" | "kind"> | undefined;
	/** Of the account's profiles the first `PROFILES_IN_TOKEN`. */
	profileIds: string[];
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

/** With the account and the profiles, so that whoever refreshes asks once. */
const FIND = `select s.id as "sessionId", s.account_id as "accountId", s.profile_id as "profileId", t.used_device as "usedDevice",
		t.used_at as "usedAt", exists (select 1 from refresh_tokens n where n.hash = t.successor and n.used_at is not null) as "successorUsed",
		coalesce(s.auth_time, s.created_at) as "authTime", s.acr, s.ended_at as "endedAt", s.expires_at as "expiresAt",
		p.display_name as "displayName", p.kind, a.*,
		array (select o.id::text from profiles o where o.account_id = s.account_id order by o.id limit $2) as "profileIds"
	from refresh_tokens t join sessions s on s.id = t.session_id
		left join lateral (select ${accountColumns} from accounts where accounts.id = s.account_id) a on true
		left join profiles p on p.id = s.profile_id
	where t.hash = $1`;

type Found = Omit<RefreshRow, "account" | "profile"> & Kept & Pick<Profile, "displayName" | "kind">;

/**
 * A refresh token with its session, which stays locked until the transaction ends: two parties at once meet here. `profiles`: how
 * many of the account's it names.
 */
export async function lockRefreshToken(tx: Tx, token: string, profiles: number, now: Date): Promise<RefreshRow | undefined> {
	const hash = hashOf(token);
	// Both are sent at once, and the second sees what the first has waited for: the server begins it after that.
	const [, [row]] = await Promise.all([
		tx.query(
			"select 1 from sessions where id = (select session_id from refresh_tokens where hash = $1) for update",
			[hash],
			"refresh-lock",
		),
		tx.query<Found>(FIND, [hash, profiles], "refresh-find"),
	]);
	if (!row) return undefined;
	const { sessionId, accountId, profileId, usedDevice, usedAt, successorUsed, authTime, acr, endedAt, expiresAt, profileIds } = row;
	const { id, email, passwordHash, state, role, bannedUntil, beforeBan, mfa, displayName, kind } = row;
	return {
		...{ sessionId, accountId, profileId, usedDevice, usedAt, successorUsed, authTime, acr, endedAt, expiresAt, profileIds },
		account: id === null ? undefined : present({ id, email, passwordHash, state, role, bannedUntil, beforeBan, mfa }, now),
		profile: kind === null ? undefined : { id: profileId, displayName, kind },
	};
}

/**
 * One more token of a session beside those that were not used yet (in truth one): they are good until it is used, in case its
 * answer is lost.
 */
export async function supersedeRefreshTokens(tx: Tx, sessionId: string, token: string, now: Date): Promise<void> {
	await tx.query("update refresh_tokens set successor = $2 where session_id = $1 and used_at is null", [sessionId, hashOf(token)]);
	insertRefreshToken(tx, sessionId, token, now);
}

/** Uses a token up: from now on its successor counts. Not waited for: where it fails, the transaction does. */
export function rotateRefreshToken(
	tx: Tx,
	sessionId: string,
	token: string,
	successor: string,
	client: { device: string; address: string },
	now: Date,
): void {
	tx.send(
		`with used as (update refresh_tokens set used_at = $3, successor = $4, used_device = $5 where hash = $2),
			made as (insert into refresh_tokens (hash, session_id, created_at) values ($4, $1, $3))
		update sessions set last_used_at = $3, address = $6 where id = $1`,
		[sessionId, hashOf(token), now, hashOf(successor), client.device, client.address],
		"refresh-rotate",
	);
}
