// Passkeys, and what they were asked to sign.
import { createHash } from "node:crypto";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Passkey } from "../../contracts/mfa.ts";

export interface PasskeyRow extends Passkey {
	accountId: string;
	credentialId: string;
	publicKey: Buffer;
	counter: number;
	transports: string[];
}

const shown = `id, name, backed_up as "backedUp", created_at as "createdAt", last_used_at as "lastUsedAt"`;
const columns = `${shown}, account_id as "accountId", credential_id as "credentialId", public_key as "publicKey", counter, transports`;

/** Throws the unique violation of `passkeys_credential` where somebody has it already. */
export async function insertPasskey(tx: Tx, passkey: PasskeyRow): Promise<void> {
	await tx.query(
		`insert into passkeys (id, account_id, credential_id, public_key, counter, transports, name, backed_up, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		[
			passkey.id,
			passkey.accountId,
			passkey.credentialId,
			passkey.publicKey,
			passkey.counter,
			passkey.transports,
			passkey.name,
			passkey.backedUp,
			passkey.createdAt,
		],
	);
}

export const isPasskeyTaken = (error: unknown): boolean => {
	const { code, constraint } = error as { code?: unknown; constraint?: unknown };
	return code === "23505" && constraint === "passkeys_credential";
};

/** A page of an account's passkeys, oldest first. */
export const passkeysOf = (db: Queryable, accountId: string, after: string | null, limit: number): Promise<Passkey[]> =>
	db.query<Passkey>(`select ${shown} from passkeys where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`, [
		accountId,
		after,
		limit,
	]);

/** What a browser must know to find, or not to make again, the passkeys of an account. */
export const credentialsOf = (db: Queryable, accountId: string): Promise<{ id: string; transports: string[] }[]> =>
	db.query("select credential_id as id, transports from passkeys where account_id = $1 order by id", [accountId]);

export async function ownerOfCredential(db: Queryable, credentialId: string): Promise<string | undefined> {
	const owner = `select account_id as "accountId" from passkeys where credential_id = $1`;
	const [row] = await db.query<{ accountId: string }>(owner, [credentialId], "passkey-owner");
	return row?.accountId;
}

/** The passkey, which stays locked until the transaction ends: two uses at once are told apart by its counter. */
export async function lockPasskey(tx: Tx, credentialId: string): Promise<PasskeyRow | undefined> {
	const find = `select ${columns} from passkeys where credential_id = $1 for update`;
	const [row] = await tx.query<PasskeyRow>(find, [credentialId], "passkey-lock");
	return row;
}

export async function usedPasskey(tx: Tx, id: string, counter: number, backedUp: boolean, now: Date): Promise<void> {
	await tx.query(
		"update passkeys set counter = $2, backed_up = $3, last_used_at = $4 where id = $1",
		[id, counter, backedUp, now],
		"passkey-used",
	);
}

/** Its name; undefined where the account has no such passkey. */
export async function deletePasskey(tx: Tx, accountId: string, id: string): Promise<string | undefined> {
	const remove = "delete from passkeys where account_id = $1 and id = $2 returning name";
	return (await tx.query<{ name: string }>(remove, [accountId, id]))[0]?.name;
}

export async function deletePasskeys(tx: Tx, accountId: string): Promise<void> {
	await tx.query("delete from passkeys where account_id = $1", [accountId]);
}

// ---------------------------------------------------------------- challenges

/** What a challenge is for: to make a passkey, or to use one. */
export type Purpose = "create" | "get";

const hashOf = (challenge: string): Buffer => createHash("sha256").update(challenge).digest();

export async function insertChallenge(
	tx: Tx,
	challenge: string,
	{ purpose, accountId, expiresAt }: { purpose: Purpose; accountId: string | null; expiresAt: Date },
): Promise<void> {
	await tx.query(
		"insert into passkey_challenges (hash, purpose, account_id, expires_at) values ($1, $2, $3, $4)",
		[hashOf(challenge), purpose, accountId, expiresAt],
		"challenge-insert",
	);
}

/** Uses a challenge up, whatever comes of it; undefined where it is not good (any more). */
export async function takeChallenge(
	tx: Tx,
	challenge: string,
	purpose: Purpose,
	now: Date,
): Promise<{ accountId: string | null } | undefined> {
	const [row] = await tx.query<{ accountId: string | null }>(
		`delete from passkey_challenges where hash = $1 and purpose = $2 and expires_at > $3 returning account_id as "accountId"`,
		[hashOf(challenge), purpose, now],
		"challenge-take",
	);
	return row;
}
