// What other nodes may know of people: where mails to them go, and, where they begin to keep names, who there is.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Answer } from "../../contracts/index.ts";
import type { AccountRow, Kept } from "./accounts.ts";
import { accountColumns, present } from "./accounts.ts";

/** The settings of an account that others must know to speak to its owner. */
export interface Settings {
	language: string | null;
	timeZone: string | null;
}

/** Nobody changes them until the transaction ends. */
export async function holdSettings(tx: Tx, accountId: string): Promise<Settings> {
	const [row] = await tx.query<Settings>(`select language, time_zone as "timeZone" from accounts where id = $1 for update`, [accountId]);
	return row ?? { language: null, timeZone: null };
}

/** Accounts that get mails about anything but themselves. */
const REACHED: ReadonlySet<AccountRow["state"]> = new Set(["active", "mustChangePassword"]);

export async function contactOf(db: Queryable, profileId: string, now: Date): Promise<Answer<"identity.contactOf">> {
	type Row = Kept & { language: Answer<"identity.contactOf">["language"]; verifiedAt: string | null };
	const [row] = await db.query<Row>(
		`select ${accountColumns}, language, verified_at as "verifiedAt" from accounts
		where id = (select account_id from profiles where id = $1)`,
		[profileId],
		"contact-of",
	);
	const account = present(row, now);
	if (!account) return { email: null, language: null };
	const { email, language, state, verifiedAt } = account;
	return { email: verifiedAt !== null && REACHED.has(state) ? email : null, language };
}

/** Profiles in the order of their ids, after one. */
export const peopleAfter = (db: Queryable, after: string | null, limit: number): Promise<Answer<"identity.people">["people"]> =>
	db.query(
		`select p.id as "profileId", a.id as "accountId", p.display_name as "displayName", a.language, a.time_zone as "timeZone"
		from profiles p join accounts a on a.id = p.account_id where $1::uuid is null or p.id > $1 order by p.id limit $2`,
		[after, limit],
	);
