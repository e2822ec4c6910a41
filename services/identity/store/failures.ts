// Wrong passwords, counted by e-mail and address.
import { createHash } from "node:crypto";
import type { Queryable } from "../../../mixins/postgres.ts";
import type { Failures, Limits } from "../domain/login.ts";
import { CLOCKS_APART_MS, THROTTLE_WINDOW_MS } from "../domain/login.ts";

const emailHash = (email: string): Buffer => createHash("sha256").update(email).digest();

/** Under which name wrong codes of mails to an address are counted. */
export const codesOf = (email: string): string => `codes of ${email}`;

export async function addFailure(db: Queryable, email: string, address: string, now: Date): Promise<void> {
	await db.query(
		"insert into login_failures (email_hash, address, at) values ($1, $2, $3)",
		[emailHash(email), address, now],
		"failure-add",
	);
}

/** Wrong passwords in the window: for this account from this address, and from this address for any. */
export async function failuresOf(
	db: Queryable,
	email: string,
	address: string,
	limits: Limits,
	now: Date,
): Promise<{ account: Failures; address: Failures }> {
	const [since, until] = [new Date(now.getTime() - THROTTLE_WINDOW_MS), new Date(now.getTime() + CLOCKS_APART_MS)];
	const [row] = await db.query<Failures & { accountCount: number; accountOldest: string | null }>(
		`select count(*)::int as count, (array_agg(at order by at desc))[$5] as oldest, count(*) filter (where email_hash = $1)::int as "accountCount",
			(array_agg(at order by at desc) filter (where email_hash = $1))[$4] as "accountOldest"
		from login_failures where address = $2 and at > $3 and at < $6`,
		[emailHash(email), address, since, limits.account, limits.address, until],
		"failures",
	);
	const { count, oldest, accountCount, accountOldest } = row ?? { count: 0, oldest: null, accountCount: 0, accountOldest: null };
	return { account: { count: accountCount, oldest: accountOldest }, address: { count, oldest } };
}

/** A right password forgives what its owner mistyped from there. */
export async function forgetFailures(db: Queryable, email: string, address: string): Promise<void> {
	await db.query("delete from login_failures where email_hash = $1 and address = $2", [emailHash(email), address], "failures-forget");
}

/** The account is gone. */
export async function forgetEmail(db: Queryable, email: string): Promise<void> {
	await db.query("delete from login_failures where email_hash = any($1)", [[emailHash(email), emailHash(codesOf(email))]]);
}
