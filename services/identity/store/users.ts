// Accounts as those who look after them see them.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Account, Profile, Session } from "../../contracts/identity.ts";
import type { Standing } from "../domain/standing.ts";

export interface UserRow extends Standing {
	id: string;
	email: string;
	role: Account["role"];
	phone: string | null;
	language: string | null;
	createdAt: string;
	updatedAt: string;
}

const columns = `a.id, a.email, a.role, a.phone, a.language, a.created_at as "createdAt", a.updated_at as "updatedAt",
	a.state, a.ban_reason as "banReason", a.banned_until as "bannedUntil", a.banned_at as "bannedAt", a.banned_by as "bannedBy",
	a.state_before_ban as "beforeBan", a.state_before_trash as "beforeTrash"`;

export async function findUser(db: Queryable, by: { id: string } | { email: string }): Promise<UserRow | undefined> {
	const [column, value] = "id" in by ? ["id", by.id] : ["email", by.email];
	const [row] = await db.query<UserRow>(`select ${columns} from accounts a where a.${column} = $1`, [value], `user-by-${column}`);
	return row;
}

/** The account as it is now; nobody changes it, and nobody signs in to it, until the transaction ends. */
export async function lockUser(tx: Tx, id: string): Promise<UserRow | undefined> {
	const [row] = await tx.query<UserRow>(`select ${columns} from accounts a where a.id = $1 for update`, [id], "user-lock");
	return row;
}

export interface UserFilter {
	q?: string;
	state?: Account["state"];
	role?: Account["role"];
	kind?: Profile["kind"];
	createdFrom?: string;
	createdTo?: string;
}

/** Accounts, newest first. Its `state` is the one of `now`: a ban whose time is over is none. */
export function usersPage(db: Queryable, filter: UserFilter, before: string | null, limit: number, now: Date): Promise<UserRow[]> {
	const { q, state, role, kind, createdFrom, createdTo } = filter;
	const like = q === undefined ? null : `%${q.trim().replace(/[\\%_]/g, "\\$&")}%`;
	return db.query<UserRow>(
		`select ${columns} from accounts a
		where ($1::uuid is null or a.id < $1)
			and ($3::text is null or a.email ilike $3 or a.id::text = lower($4)
				or exists (select 1 from profiles p where p.account_id = a.id and (p.display_name ilike $3 or p.id::text = lower($4))))
			and ($5::text is null
				or $5 = case when a.state = 'banned' and a.banned_until <= $2 then coalesce(a.state_before_ban, 'active') else a.state end)
			and ($6::text is null or a.role = $6)
			and ($7::text is null or exists (select 1 from profiles p where p.account_id = a.id and p.kind = $7))
			and ($8::timestamptz is null or a.created_at >= $8) and ($9::timestamptz is null or a.created_at < $9)
		order by a.id desc limit $10`,
		[before, now, like, q?.trim() ?? null, state ?? null, role ?? null, kind ?? null, createdFrom ?? null, createdTo ?? null, limit],
	);
}

/** The profiles of several accounts, oldest first. */
export function profilesOfAll(db: Queryable, accountIds: readonly string[]): Promise<(Profile & { accountId: string })[]> {
	return db.query(
		`select account_id as "accountId", id, display_name as "displayName", kind from profiles where account_id = any($1::uuid[]) order by id`,
		[accountIds],
	);
}

/** Writes how an account stands. */
export async function saveStanding(tx: Tx, accountId: string, to: Standing, now: Date): Promise<void> {
	await tx.query(
		`update accounts set state = $2, ban_reason = $3, banned_until = $4, banned_at = $5, banned_by = $6,
			state_before_ban = $7, state_before_trash = $8, updated_at = $9
		where id = $1`,
		[accountId, to.state, to.banReason, to.bannedUntil, to.bannedAt, to.bannedBy, to.beforeBan, to.beforeTrash, now],
	);
}

export type Contact = Pick<UserRow, "email" | "phone" | "language">;

/**
 * Answers the state in which the account is then: with another address an active one is unverified, also where it is banned or in the trash
 * and will be active again. Throws the unique violation of `accounts_email` when the address has an account.
 */
export async function saveContact(tx: Tx, accountId: string, to: Contact, now: Date): Promise<UserRow["state"]> {
	const unverified = (column: string) => `${column} = case when email <> $2 and ${column} = 'active' then 'unverified' else ${column} end`;
	const [row] = await tx.query<Pick<UserRow, "state">>(
		`update accounts set email = $2, phone = $3, language = $4, updated_at = $5,
			verified_at = case when email = $2 then verified_at end,
			${unverified("state")}, ${unverified("state_before_ban")}, ${unverified("state_before_trash")}
		where id = $1 returning state`,
		[accountId, to.email, to.phone, to.language, now],
	);
	if (!row) throw new Error(`There is no account ${accountId}.`);
	return row.state;
}

export async function savePassword(tx: Tx, accountId: string, passwordHash: string, now: Date): Promise<void> {
	await tx.query("update accounts set password_hash = $2, updated_at = $3 where id = $1", [accountId, passwordHash, now]);
}

/**
 * How many others administer, of those who may sign in. Whoever takes an admin away asks one after another: two that go at once
 * would each count the other.
 */
export async function otherAdmins(tx: Tx, accountId: string): Promise<number> {
	await tx.query("select pg_advisory_xact_lock(hashtextextended('identity:admins', 0))");
	const [row] = await tx.query<{ count: number }>(
		"select count(*)::int as count from accounts where role = 'admin' and id <> $1 and state in ('unverified', 'active', 'mustChangePassword')",
		[accountId],
	);
	return row?.count ?? 0;
}

/** The open sessions of an account, newest first. */
export function sessionsOf(db: Queryable, accountId: string, before: string | null, limit: number, now: Date): Promise<Session[]> {
	return db.query<Session>(
		`select id, device, address, created_at as "createdAt", last_used_at as "lastUsedAt", false as current from sessions
		where account_id = $1 and ended_at is null and expires_at > $2 and ($3::uuid is null or id < $3) order by id desc limit $4`,
		[accountId, now, before, limit],
	);
}
