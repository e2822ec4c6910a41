// Registered clients, and the sessions that stand for the tokens they were given.
import { createHash } from "node:crypto";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Client } from "../../contracts/clients.ts";

/** A secret is known by its hash only. It is random: a fast hash is as good as a slow one. */
export const secretHash = (secret: string): Buffer => createHash("sha256").update(secret).digest();

const columns = `id as "clientId", name, scopes, created_at as "createdAt", rotated_at as "rotatedAt", last_used_at as "lastUsedAt"`;

export async function insertClient(tx: Tx, client: Client, secret: string): Promise<void> {
	await tx.query("insert into clients (id, name, scopes, secret_hash, created_at) values ($1, $2, $3, $4, $5)", [
		client.clientId,
		client.name,
		client.scopes,
		secretHash(secret),
		client.createdAt,
	]);
}

export async function findClient(db: Queryable, id: string): Promise<(Client & { secretHash: Buffer }) | undefined> {
	const [row] = await db.query<Client & { secretHash: Buffer }>(
		`select ${columns}, secret_hash as "secretHash" from clients where id = $1`,
		[id],
		"client",
	);
	return row;
}

/** Newest first. */
export const clientsFrom = (db: Queryable, before: string | null, limit: number): Promise<Client[]> =>
	db.query<Client>(`select ${columns} from clients where $1::uuid is null or id < $1 order by id desc limit $2`, [before, limit]);

/** The client with its new secret; undefined where there is none. */
export async function updateSecret(tx: Tx, id: string, secret: string, now: Date): Promise<Client | undefined> {
	const [row] = await tx.query<Client>(`update clients set secret_hash = $2, rotated_at = $3 where id = $1 returning ${columns}`, [
		id,
		secretHash(secret),
		now,
	]);
	return row;
}

export async function deleteClient(tx: Tx, id: string): Promise<Client | undefined> {
	const [row] = await tx.query<Client>(`delete from clients where id = $1 returning ${columns}`, [id]);
	return row;
}

export interface ClientSession {
	id: string;
	clientId: string;
	expiresAt: Date;
}

/** False where the client has gone, or its secret changed, since it was looked at. Its removal waits for this, or came before. */
export async function openClientSession(tx: Tx, session: ClientSession, hash: Buffer, now: Date): Promise<boolean> {
	const [there] = await tx.query(
		"update clients set last_used_at = $3 where id = $1 and secret_hash = $2 returning id",
		[session.clientId, hash, now],
		"client-used",
	);
	if (!there) return false;
	await tx.query(
		"insert into client_sessions (id, client_id, created_at, expires_at) values ($1, $2, $3, $4)",
		[session.id, session.clientId, now, session.expiresAt],
		"client-session",
	);
	return true;
}

/** Ends one session of a client, or all of them; answers the ids of those that were open. */
export async function endClientSessions(tx: Tx, which: { sessionId: string } | { clientId: string }, now: Date): Promise<string[]> {
	const [column, value] = "sessionId" in which ? ["id", which.sessionId] : ["client_id", which.clientId];
	const ended = await tx.query<{ id: string }>(
		`update client_sessions set ended_at = $2 where ${column} = $1 and ended_at is null and expires_at > $2 returning id`,
		[value, now],
	);
	return ended.map(({ id }) => id);
}

/** Whether a token's session is open, and its client is still there. */
export async function isClientSessionOpen(db: Queryable, sessionId: string): Promise<boolean> {
	const query = "select 1 from client_sessions s join clients c on c.id = s.client_id where s.id = $1 and s.ended_at is null";
	return (await db.query(query, [sessionId], "client-session-open")).length > 0;
}
