// The second factors of accounts: the authenticator app, recovery codes, and the wrong codes of the last day.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { CodeKind, CodeLimits, WrongCodes } from "../domain/mfa.ts";
import { DAY_MS } from "../domain/mfa.ts";
import type { Failures } from "../domain/login.ts";
import { CLOCKS_APART_MS, THROTTLE_WINDOW_MS } from "../domain/login.ts";

/** Whatever tries or changes the second factors of one account goes one after another, in every process. */
export async function lockFactors(tx: Tx, accountId: string): Promise<void> {
	await tx.query("select pg_advisory_xact_lock(hashtextextended('identity:factors:' || $1, 0))", [accountId], "factors-lock");
}

export interface Factors {
	totp: boolean;
	passkeys: number;
	recoveryCodes: number;
}

export async function factorsOf(db: Queryable, accountId: string): Promise<Factors> {
	const [row] = await db.query<Factors>(
		`select exists (select 1 from totps where account_id = $1 and confirmed_at is not null) as totp,
			(select count(*)::int from passkeys where account_id = $1) as passkeys,
			(select count(*)::int from recovery_codes where account_id = $1) as "recoveryCodes"`,
		[accountId],
		"factors-of",
	);
	return row ?? { totp: false, passkeys: 0, recoveryCodes: 0 };
}

// ---------------------------------------------------------------- the authenticator app

export interface TotpRow {
	secretSealed: Buffer;
	confirmedAt: string | null;
}

export async function findTotp(db: Queryable, accountId: string): Promise<TotpRow | undefined> {
	const [row] = await db.query<TotpRow>(
		`select secret_sealed as "secretSealed", confirmed_at as "confirmedAt" from totps where account_id = $1`,
		[accountId],
		"totp-find",
	);
	return row;
}

/** Begins anew; false where there is a confirmed one. */
export async function putTotp(tx: Tx, accountId: string, secretSealed: Buffer, now: Date): Promise<boolean> {
	const rows = await tx.query(
		`insert into totps (account_id, secret_sealed, created_at) values ($1, $2, $3)
		on conflict (account_id) do update set secret_sealed = $2, created_at = $3, used_steps = '{}' where totps.confirmed_at is null
		returning 1`,
		[accountId, secretSealed, now],
	);
	return rows.length > 0;
}

export async function confirmTotp(tx: Tx, accountId: string, now: Date): Promise<void> {
	await tx.query("update totps set confirmed_at = $2 where account_id = $1", [accountId, now]);
}

/** Uses the code of a step up; false where it was used before. Steps before `oldest` are forgotten: their codes are refused anyway. */
export async function useStep(tx: Tx, accountId: string, step: number, oldest: number): Promise<boolean> {
	const rows = await tx.query(
		`update totps set used_steps = array (select used from unnest(used_steps) as used where used >= $3) || $2::bigint
		where account_id = $1 and not ($2::bigint = any (used_steps)) returning 1`,
		[accountId, step, oldest],
		"totp-use",
	);
	return rows.length > 0;
}

export async function deleteTotp(tx: Tx, accountId: string): Promise<void> {
	await tx.query("delete from totps where account_id = $1", [accountId]);
}

// ---------------------------------------------------------------- recovery codes

export async function replaceRecoveryCodes(tx: Tx, accountId: string, hashes: readonly Buffer[]): Promise<void> {
	await deleteRecoveryCodes(tx, accountId);
	await tx.query("insert into recovery_codes (account_id, hash) select $1, unnest($2::bytea[])", [accountId, hashes]);
}

/** Uses a code up; false where it is none of the account's, or was used before. */
export async function useRecoveryCode(tx: Tx, accountId: string, hash: Buffer): Promise<boolean> {
	return (await tx.query("delete from recovery_codes where account_id = $1 and hash = $2 returning 1", [accountId, hash])).length > 0;
}

export async function deleteRecoveryCodes(tx: Tx, accountId: string): Promise<void> {
	await tx.query("delete from recovery_codes where account_id = $1", [accountId]);
}

// ---------------------------------------------------------------- wrong codes

export async function addWrongCode(tx: Tx, accountId: string, address: string, kind: CodeKind, now: Date): Promise<void> {
	await tx.query("insert into mfa_failures (account_id, address, kind, at) values ($1, $2, $3, $4)", [accountId, address, kind, now]);
}

/** `address` is the client's; failures are counted by `key`, what limits count by. */
export async function wrongCodes(
	tx: Tx,
	accountId: string,
	{ address, key }: { address: string; key: string },
	limits: CodeLimits,
	now: Date,
): Promise<WrongCodes> {
	const ago = (ms: number) => new Date(now.getTime() - ms);
	const until = ago(-CLOCKS_APART_MS);
	const count = `count(*)::int as count, (array_agg(at order by at desc))`;
	const [here] = await tx.query<Failures>(
		`select ${count}[$4] as oldest from mfa_failures where account_id = $1 and address = $2 and at > $3 and at < $5`,
		[accountId, key, ago(THROTTLE_WINDOW_MS), limits.address, until],
		"wrong-codes-here",
	);
	const [day] = await tx.query<Failures>(
		`select ${count}[$3] as oldest from mfa_failures where account_id = $1 and kind = 'totp' and at > $2 and at < $4`,
		[accountId, ago(DAY_MS), limits.day, until],
		"wrong-codes-day",
	);
	const strong = "select 1 from sessions where account_id = $1 and address = $2 and acr = '2' limit 1";
	const known = (await tx.query(strong, [accountId, address], "address-known")).length > 0;
	const none = { count: 0, oldest: null };
	return { address: here ?? none, day: day ?? none, known };
}

/** A right code forgives what its owner mistyped from there. */
export async function forgetWrongCodes(tx: Tx, accountId: string, key: string): Promise<void> {
	await tx.query("delete from mfa_failures where account_id = $1 and address = $2", [accountId, key], "wrong-codes-forget");
}
