// What people change of their accounts: password, address, settings; and proving that an address is theirs.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { OwnSettings } from "../../contracts/identity.ts";
import type { AccountRow, Kept } from "./accounts.ts";
import { accountColumns, present } from "./accounts.ts";

/** An account as mails need it. */
export interface Addressee extends AccountRow {
	language: string | null;
	verifiedAt: string | null;
}

const columns = `${accountColumns}, language, verified_at as "verifiedAt"`;

export async function findAddressee(
	db: Queryable,
	by: { email: string } | { id: string },
	now = new Date(),
): Promise<Addressee | undefined> {
	const [column, value] = "email" in by ? ["email", by.email] : ["id", by.id];
	const [row] = await db.query<Addressee & Kept>(`select ${columns} from accounts where ${column} = $1`, [value], `addressee-by-${column}`);
	return present(row, now);
}

/** The account as it is, which nobody changes until the transaction ends. */
export async function lockAddressee(tx: Tx, id: string, now = new Date()): Promise<Addressee | undefined> {
	const [row] = await tx.query<Addressee & Kept>(`select ${columns} from accounts where id = $1 for update`, [id]);
	return present(row, now);
}

/** The address is the account's, and proved. Throws the unique violation of `accounts_email` where another account has it. */
export async function updateVerified(tx: Tx, id: string, email: string, now: Date): Promise<void> {
	await tx.query(
		`update accounts set email = $2, verified_at = $3, updated_at = $3,
			state = case state when 'unverified' then 'active' else state end,
			state_before_ban = case state_before_ban when 'unverified' then 'active' else state_before_ban end where id = $1`,
		[id, email, now],
	);
}

/** Whose password had to be changed is again what it was before. */
export async function updatePassword(tx: Tx, id: string, passwordHash: string, now: Date): Promise<void> {
	await tx.query(
		`update accounts set password_hash = $2, updated_at = $3,
			state = case when state <> 'mustChangePassword' then state when verified_at is null then 'unverified' else 'active' end where id = $1`,
		[id, passwordHash, now],
	);
}

export async function settingsOf(db: Queryable, id: string): Promise<OwnSettings> {
	const [row] = await db.query<OwnSettings>(
		`select language, time_zone as "timeZone", phone from accounts where id = $1`,
		[id],
		"account-settings",
	);
	return row ?? { language: null, timeZone: null, phone: null };
}

/** What is not named stays; null takes it away. */
export async function updateSettings(tx: Tx, id: string, next: Partial<OwnSettings>, now: Date): Promise<void> {
	const value = (name: keyof OwnSettings) => [next[name] !== undefined, next[name] ?? null];
	await tx.query(
		`update accounts set updated_at = $2,
			language = case when $3::boolean then $4 else language end,
			time_zone = case when $5::boolean then $6 else time_zone end,
			phone = case when $7::boolean then $8 else phone end where id = $1`,
		[id, now, ...value("language"), ...value("timeZone"), ...value("phone")],
	);
}
