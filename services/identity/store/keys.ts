// The keys that sign access tokens.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { PublicKey } from "../../contracts/identity.ts";
import type { KeyTimes } from "../domain/keys.ts";

export interface KeyRow extends KeyTimes {
	id: string;
	publicJwk: PublicKey;
	privateSealed: Buffer;
}

/** Keys that are not retired, oldest first. */
export function livingKeys(db: Queryable, now: Date): Promise<KeyRow[]> {
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

/** No key signs or verifies any more from now on; answers their ids. */
export async function revokeKeys(tx: Tx, now: Date): Promise<string[]> {
	const revoked = await tx.query<{ id: string }>(
		"update signing_keys set retired_at = $1, revoked_at = $1 where retired_at > $1 returning id",
		[now],
	);
	return revoked.map(({ id }) => id);
}

/** Keys that would live on longer retire then. */
export async function retireKeys(tx: Tx, at: string): Promise<void> {
	await tx.query("update signing_keys set retired_at = $1 where retired_at > $1", [at]);
}

export async function insertKey(tx: Tx, key: KeyRow, now: Date): Promise<void> {
	await tx.query(
		"insert into signing_keys (id, public_jwk, private_sealed, created_at, signs_from, retired_at) values ($1, $2, $3, $4, $5, $6)",
		[key.id, JSON.stringify(key.publicJwk), key.privateSealed, now, key.signsFrom, key.retiredAt],
	);
}
