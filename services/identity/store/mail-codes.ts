// What was mailed to prove an address. Stored as hashes: who reads the table can use nothing of it.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Mailed, Purpose } from "../domain/mail-codes.ts";
import { DAY_MS } from "../domain/mfa.ts";

export interface CodeRow extends Mailed {
	id: string;
	accountId: string;
	/** Where it was sent. */
	email: string;
	codeHash: Buffer;
}

export interface NewCode {
	id: string;
	accountId: string;
	purpose: Purpose;
	email: string;
	codeHash: Buffer;
	linkHash: Buffer;
	codeUntil: Date;
	linkUntil: Date;
}

/** Mails of one purpose to one account are made one after another. */
export async function lockMailing(tx: Tx, accountId: string, purpose: Purpose): Promise<void> {
	await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`identity:code ${accountId} ${purpose}`]);
}

/** Ends the older one of the account and purpose. Of two at once one is the older. */
export async function insertCode(tx: Tx, code: NewCode, now: Date): Promise<void> {
	await lockMailing(tx, code.accountId, code.purpose);
	await endCodes(tx, code.accountId, [code.purpose], now);
	await tx.query(
		`insert into mail_codes (id, account_id, purpose, email, code_hash, link_hash, created_at, code_until, link_until)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		[code.id, code.accountId, code.purpose, code.email, code.codeHash, code.linkHash, now, code.codeUntil, code.linkUntil],
	);
}

const columns = `id, account_id as "accountId", purpose, email, code_hash as "codeHash", tries, created_at as "createdAt",
	code_until as "codeUntil", link_until as "linkUntil"`;

/** Counted in a statement of its own: one that waited for a lock would count what was there before. */
async function withTries(tx: Tx, rows: readonly CodeRow[], now: Date): Promise<CodeRow[]> {
	const counted = await tx.query<{ accountId: string; tries: number }>(
		`select account_id as "accountId", sum(tries)::int as tries from mail_codes
		where account_id = any($1::uuid[]) and created_at > $2 group by account_id`,
		[rows.map(({ accountId }) => accountId), new Date(now.getTime() - DAY_MS)],
	);
	const tries = new Map(counted.map((row) => [row.accountId, row.tries]));
	return rows.map((row) => ({ ...row, triesOfDay: tries.get(row.accountId) ?? 0 }));
}

/** What was sent to the address and not used yet, locked: guesses that come at once are counted one after another. */
export async function lockCodes(tx: Tx, email: string, purposes: readonly Purpose[], now: Date): Promise<CodeRow[]> {
	const rows = await tx.query<CodeRow>(
		`select ${columns} from mail_codes where email = $1 and purpose = any($2::text[]) and ended_at is null order by id limit 20 for update`,
		[email, purposes],
	);
	return withTries(tx, rows, now);
}

export async function lockLink(tx: Tx, linkHash: Buffer, purposes: readonly Purpose[], now: Date): Promise<CodeRow | undefined> {
	const rows = await tx.query<CodeRow>(
		`select ${columns} from mail_codes where link_hash = $1 and purpose = any($2::text[]) and ended_at is null for update`,
		[linkHash, purposes],
	);
	return (await withTries(tx, rows, now))[0];
}

export async function countTries(tx: Tx, ids: readonly string[]): Promise<void> {
	await tx.query("update mail_codes set tries = tries + 1 where id = any($1::uuid[])", [ids]);
}

/** Ends what an account was mailed for these purposes. */
export async function endCodes(tx: Tx, accountId: string, purposes: readonly Purpose[], now: Date): Promise<void> {
	await tx.query("update mail_codes set ended_at = $3 where account_id = $1 and ended_at is null and purpose = any($2::text[])", [
		accountId,
		purposes,
		now,
	]);
}

/** How many mails of this purpose the account got since. */
export async function mailedSince(db: Queryable, accountId: string, purpose: Purpose, since: Date): Promise<number> {
	const [row] = await db.query<{ count: number }>(
		"select count(*)::int as count from mail_codes where account_id = $1 and purpose = $2 and created_at > $3",
		[accountId, purpose, since],
	);
	return row?.count ?? 0;
}

export const isMailed = async (db: Queryable, id: string): Promise<boolean> =>
	(await db.query("select 1 from mail_codes where id = $1", [id])).length > 0;
