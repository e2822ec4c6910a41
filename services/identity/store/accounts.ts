// Accounts: who they are, and whether they may come in.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Account } from "../../contracts/identity.ts";
import type { Answer } from "../../contracts/index.ts";
import { banIsOver, stateNow } from "../domain/standing.ts";

export interface AccountRow extends Account {
	/** Null: nobody can sign in by a password. */
	passwordHash: string | null;
	bannedUntil: string | null;
}

export const accountColumns = `id, email, password_hash as "passwordHash", state, role, banned_until as "bannedUntil", state_before_ban as "beforeBan",
	(exists (select 1 from totps t where t.account_id = accounts.id and t.confirmed_at is not null)
		or exists (select 1 from passkeys p where p.account_id = accounts.id)) as mfa`;
export type Kept = AccountRow & { beforeBan: Account["state"] | null };

/** As it stands now: a ban whose time is over is none, whether that has been written already or not. */
export function present<R extends Kept>(row: R | undefined, now: Date): Omit<R, "beforeBan"> | undefined {
	if (!row) return undefined;
	const { beforeBan: _before, ...account } = row;
	return banIsOver(row, now) ? { ...account, state: stateNow(row, now), bannedUntil: null } : account;
}

export async function findAccount(
	db: Queryable,
	by: { email: string } | { id: string },
	now = new Date(),
): Promise<AccountRow | undefined> {
	const [column, value] = "email" in by ? ["email", by.email] : ["id", by.id];
	const [row] = await db.query<Kept>(`select ${accountColumns} from accounts where ${column} = $1`, [value], `account-by-${column}`);
	return present(row, now);
}

/** The account as it is now; it cannot change until the transaction ends. */
export async function holdAccount(tx: Tx, id: string, now = new Date()): Promise<AccountRow | undefined> {
	const [row] = await tx.query<Kept>(`select ${accountColumns} from accounts where id = $1 for share`, [id], "account-hold");
	return present(row, now);
}

export type AccountOverview = Omit<Answer<"accounts.show">, "profiles" | "mfa" | "factors">;

/** What operators want to know of an account; of its sessions those that are open. */
export async function overviewOf(db: Queryable, email: string, now: Date): Promise<AccountOverview | undefined> {
	const [row] = await db.query<AccountOverview>(
		`select a.id, a.email, a.role, a.created_at as "createdAt", a.banned_until as "bannedUntil",
			case when a.state = 'banned' and a.banned_until <= $2 then coalesce(a.state_before_ban, 'active') else a.state end as state,
			count(s.id)::int as sessions, max(s.last_used_at) as "lastUsedAt"
		from accounts a left join sessions s on s.account_id = a.id and s.ended_at is null and s.expires_at > $2
		where a.email = $1 group by a.id`,
		[email, now],
	);
	return row;
}

export interface NewAccount extends Account {
	passwordHash: string | null;
	phone: string | null;
	language: string | null;
	mfa: false;
}

/** Its address counts as verified where the account does. Throws the unique violation of `accounts_email` when the address has an account. */
export async function insertAccount(tx: Tx, account: NewAccount, now: Date): Promise<void> {
	await tx.query(
		`insert into accounts (id, email, password_hash, state, role, phone, language, created_at, updated_at, verified_at)
		values ($1, $2, $3, $4::text, $5, $6, $7, $8::timestamptz, $8::timestamptz, case when $4::text <> 'unverified' then $8::timestamptz end)`,
		[account.id, account.email, account.passwordHash, account.state, account.role, account.phone, account.language, now],
	);
}

export const isEmailTaken = (error: unknown): boolean => {
	const { code, constraint } = error as { code?: unknown; constraint?: unknown };
	return code === "23505" && constraint === "accounts_email";
};

export async function updateRole(tx: Tx, accountId: string, role: Account["role"], now: Date): Promise<void> {
	await tx.query("update accounts set role = $2, updated_at = $3 where id = $1", [accountId, role, now]);
}
