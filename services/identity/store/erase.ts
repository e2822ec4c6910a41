// What goes when an account is erased, and what stays in its place.
import { forgetStarter } from "../../../mixins/work/store.ts";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import { forgetEmail } from "./failures.ts";

export interface Condemned {
	email: string;
	state: string;
	language: string | null;
	verifiedAt: string | null;
	createdAt: string;
	profileIds: string[];
	/** Where mails for the account went that no other account has. */
	addresses: string[];
}

/** The account with its profiles, locked until the transaction ends. */
export async function holdCondemned(tx: Tx, accountId: string): Promise<Condemned | undefined> {
	const [account] = await tx.query<Omit<Condemned, "profileIds" | "addresses">>(
		`select email, state, language, verified_at as "verifiedAt", created_at as "createdAt" from accounts where id = $1 for update`,
		[accountId],
	);
	if (!account) return undefined;
	const mailed = await tx.query<{ email: string }>(
		`select distinct c.email from mail_codes c
		where c.account_id = $1 and c.email <> $2 and not exists (select 1 from accounts a where a.email = c.email)`,
		[accountId, account.email],
	);
	const addresses = [account.email, ...mailed.map(({ email }) => email)];
	return { ...account, addresses, profileIds: await profileIdsOf(tx, accountId) };
}

/** All profiles of an account, also those that it has no more. */
export async function profileIdsOf(db: Queryable, accountId: string): Promise<string[]> {
	const rows = await db.query<{ id: string }>(
		"select id from profiles where account_id = $1 union select id from former_profiles where account_id = $1 order by id",
		[accountId],
	);
	return rows.map(({ id }) => id);
}

/**
 * Erases an account whose sessions have ended. Everything that hangs on it goes with it; an empty one of the same id stays, `purged`, so
 * that nobody gets the id again and operators see what it was. Its e-mail is free.
 */
export async function eraseRows(tx: Tx, accountId: string, { email, createdAt }: Condemned, now: Date): Promise<void> {
	await tx.query("delete from refresh_tokens where session_id in (select id from sessions where account_id = $1)", [accountId]);
	// Their ids stay: doors must go on refusing their tokens.
	await tx.query("update sessions set account_id = null, profile_id = null, device = '', address = '' where account_id = $1", [accountId]);
	// What a directory said of them hangs on nothing.
	await tx.query(
		"delete from directory_users d using identities i where i.account_id = $1 and d.issuer = i.issuer and d.subject = i.subject",
		[accountId],
	);
	await tx.query("delete from accounts where id = $1", [accountId]);
	// An e-mail that nobody can ask for: it has no @.
	await tx.query(
		`insert into accounts (id, email, password_hash, state, role, created_at, updated_at)
		values ($1::uuid, 'deleted:' || $1::text, null, 'purged', 'user', $2, $3)`,
		[accountId, createdAt, now],
	);
	await forgetEmail(tx, email);
	await forgetStarter(tx, accountId, ["export"]);
}
