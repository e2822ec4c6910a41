// Sessions: opened, listed and ended.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Session } from "../../contracts/identity.ts";

export interface NewSession {
	id: string;
	accountId: string;
	profileId: string;
	device: string;
	address: string;
	expiresAt: Date;
	authTime: string;
	acr: string;
}

/** Not waited for: where it fails, the transaction does. */
export function insertSession(tx: Tx, session: NewSession, now: Date): void {
	tx.send(
		`insert into sessions (id, account_id, profile_id, device, address, created_at, last_used_at, expires_at, auth_time, acr)
		values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)`,
		[
			session.id,
			session.accountId,
			session.profileId,
			session.device,
			session.address,
			now,
			session.expiresAt,
			session.authTime,
			session.acr,
		],
		"session-insert",
	);
}

/** Somebody has proved anew, at `provedAt`, who they are; undefined where the session is over. */
export async function strengthenSession(
	tx: Tx,
	{ sessionId, accountId }: { sessionId: string; accountId: string },
	now: Date,
	provedAt: Date,
): Promise<{ id: string; profileId: string; authTime: string; acr: string } | undefined> {
	const [row] = await tx.query<{ id: string; profileId: string; authTime: string; acr: string }>(
		`update sessions set auth_time = greatest(auth_time, $4), acr = '2' where id = $1 and account_id = $2 and ended_at is null and expires_at > $3
		returning id, profile_id as "profileId", auth_time as "authTime", acr`,
		[sessionId, accountId, now, provedAt],
	);
	return row;
}

export interface EndedSession {
	sessionId: string;
	accountId: string;
}

/** What sessions are ended by: one, or all of an account, perhaps `but` one, or all that are for a profile. */
export type Which = { sessionId: string } | { accountId: string; but?: string } | { profileId: string };

/** Ends sessions; answers those that were open. */
export function endSessions(tx: Tx, which: Which, reason: string, now: Date): Promise<EndedSession[]> {
	const [column, value] =
		"sessionId" in which
			? ["id", which.sessionId]
			: "profileId" in which
				? ["profile_id", which.profileId]
				: ["account_id", which.accountId];
	return tx.query<EndedSession>(
		`update sessions set ended_at = $2, end_reason = $3 where ${column} = $1 and ended_at is null and ($4::uuid is null or id <> $4)
		returning id as "sessionId", account_id as "accountId"`,
		[value, now, reason, "but" in which ? which.but : null],
	);
}

/** The open sessions of an account, newest first; `sessionId` is the current one. */
export function openSessions(
	db: Queryable,
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

export async function ownsSession(db: Queryable, accountId: string, sessionId: string): Promise<boolean> {
	return (
		(await db.query("select 1 from sessions where id = $1 and account_id = $2 and ended_at is null", [sessionId, accountId])).length > 0
	);
}

/** Whether and until when a session is open. */
export async function findSession(db: Queryable, id: string): Promise<{ endedAt: string | null; expiresAt: string } | undefined> {
	const [row] = await db.query<{ endedAt: string | null; expiresAt: string }>(
		`select ended_at as "endedAt", expires_at as "expiresAt" from sessions where id = $1`,
		[id],
		"session",
	);
	return row;
}

/** What ended after `since`: sessions of people, tokens of clients, and keys that are not to be believed, as doors call them. */
export function endedSince(db: Queryable, since: Date): Promise<{ sessionId: string; endedAt: string }[]> {
	return db.query(
		`select id::text as "sessionId", ended_at as "endedAt" from sessions where ended_at >= $1
		union all select id::text, ended_at from client_sessions where ended_at >= $1
		union all select 'kid:' || id, revoked_at from signing_keys where revoked_at >= $1
		order by "endedAt"`,
		[since],
		"sessions-ended",
	);
}

/** From now on the session is for another profile; undefined where it is over. How its person was proved stays what it was. */
export async function switchSession(
	tx: Tx,
	{ sessionId, accountId }: { sessionId: string; accountId: string },
	profileId: string,
	now: Date,
): Promise<{ id: string; authTime: string; acr: string } | undefined> {
	const [row] = await tx.query<{ id: string; authTime: string; acr: string }>(
		`update sessions set profile_id = $3, last_used_at = $4
		where id = $1 and account_id = $2 and ended_at is null and expires_at > $4
		returning id, coalesce(auth_time, created_at) as "authTime", acr`,
		[sessionId, accountId, profileId, now],
	);
	return row;
}

/** The profile that a session is for. */
export async function profileOfSession(db: Queryable, sessionId: string): Promise<string | undefined> {
	const [row] = await db.query<{ profileId: string }>(`select profile_id as "profileId" from sessions where id = $1`, [sessionId]);
	return row?.profileId;
}
