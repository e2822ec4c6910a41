// The gamification node's only way to its database: the ledger.
import { randomUUID } from "node:crypto";
import { newId } from "../../mixins/id.ts";
import { DELETED } from "../contracts/persons.ts";
import type { Exported } from "../../mixins/person/index.ts";
import type { Currency, Transaction } from "../contracts/gamification.ts";
import type { Queryable, Tx } from "../../mixins/postgres.ts";
import type { Award, Claim, Paid } from "./domain/award.ts";
import { claimKey, dayKey } from "./domain/award.ts";
import { accountKey } from "./domain/level.ts";

/** The system account that every award comes from. */
const ISSUER = "issuer";

/** What was paid before to these profiles, for these sources and in these days; and which of them were erased since. */
export async function paidBefore(db: Queryable, claims: readonly Claim[]): Promise<Paid & { erased: Set<string> }> {
	if (claims.length === 0) return { byDay: new Map(), claims: new Set(), erased: new Set() };
	const profiles = [...new Set(claims.map((claim) => claim.profileId))];
	const reasons = [...new Set(claims.map((claim) => claim.reason))];
	const days = claims.map((claim) => claim.day).sort();
	// Who was erased comes with it: one question less.
	const found = await db.query<{ profileId: string; reason: string | null; day: string; paid: number }>(
		`select owner as "profileId", reason, to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, sum(amount)::bigint as paid
		from entries
		where owner = any($1::text[]) and reason = any($2::text[]) and at >= $3::date and at < $4::date + 1
		group by 1, 2, 3
		union all select id::text, null, null, null from erased_people where id = any($1::text[]::uuid[])`,
		[profiles, reasons, days[0], days.at(-1)],
	);
	const known = await db.query<{ profileId: string; reason: string; source: string }>(
		`select e.owner as "profileId", e.reason, e.source
		from unnest($1::text[], $2::text[], $3::text[]) as c(owner, reason, source)
		join entries e on e.owner = c.owner and e.reason = c.reason and e.source = c.source`,
		[claims.map((claim) => claim.profileId), claims.map((claim) => claim.reason), claims.map((claim) => claim.source)],
	);
	return {
		byDay: new Map(found.map(({ profileId, reason, day, paid }) => [dayKey(profileId, reason ?? "", day), paid])),
		erased: new Set([DELETED.profileId, ...found.filter(({ reason }) => reason === null).map(({ profileId }) => profileId)]),
		claims: new Set(known.map(({ profileId, reason, source }) => claimKey(profileId, reason, source))),
	};
}

/**
 * Pays awards: both legs of every transfer and the new balances, in one statement. Answers the balances by `accountKey`.
 * Paying for something twice is a unique violation of `entries_once`, and then nothing is paid.
 */
export async function pay(tx: Tx, awards: readonly Award[]): Promise<Map<string, number>> {
	const rows = awards.map(({ fact: _fact, ...award }) => ({ id: newId(), ...award }));
	const balances = await tx.query<{ profileId: string; currency: Currency; balance: number }>(
		`with paid as (
			select * from json_to_recordset($1::json) as p(
				id uuid, "profileId" text, currency text, amount bigint, reason text, source text, at timestamptz
			)
		), legs as (
			insert into entries (id, owner, counterpart, currency, amount, reason, source, at)
			select id, "profileId", $2, currency, amount, reason, source, at from paid
			union all
			select id, $2, "profileId", currency, -amount, reason, source, at from paid
		)
		insert into accounts as a (owner, currency, kind, balance)
		select "profileId", currency, 'profile', sum(amount) from paid group by 1, 2 order by 1, 2
		on conflict (owner, currency) do update set balance = a.balance + excluded.balance
		returning owner as "profileId", currency, balance`,
		[JSON.stringify(rows), ISSUER],
		"ledger-pay",
	);
	return new Map(balances.map(({ profileId, currency, balance }) => [accountKey(profileId, currency), balance]));
}

/** A profile's balance in each currency; zero where nothing was ever paid. */
export async function balancesOf(db: Queryable, profileId: string): Promise<Record<Currency, number>> {
	const rows = await db.query<{ currency: Currency; balance: number }>(
		"select currency, balance from accounts where owner = $1 and kind = 'profile'",
		[profileId],
		"ledger-balances",
	);
	return { xp: 0, points: 0, coins: 0, ...Object.fromEntries(rows.map(({ currency, balance }) => [currency, balance])) };
}

/** A profile's entries, newest first, from before an entry on. */
export function entriesOf(db: Queryable, profileId: string, before: string | null, limit: number): Promise<Transaction[]> {
	return db.query<Transaction>(
		`select id, currency, amount, reason, source, at from entries
		where owner = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
		[profileId, before, limit],
		"ledger-entries",
	);
}

export interface LedgerCheck {
	currency: Currency;
	sum: number;
	entries: number;
	/** Accounts whose balance is not the sum of their entries. */
	wrongBalances: number;
}

/** Adds up all entries of each currency and holds every balance against its own; one statement, so one moment. */
export function checkLedgers(db: Queryable): Promise<LedgerCheck[]> {
	return db.query<LedgerCheck>(
		`with sums as (select owner, currency, sum(amount) as sum, count(*) as entries from entries group by 1, 2)
		select a.currency, coalesce(sum(s.sum), 0)::bigint as sum, coalesce(sum(s.entries), 0)::bigint as entries,
			count(*) filter (where a.kind <> 'system' and a.balance <> coalesce(s.sum, 0)) as "wrongBalances"
		from accounts a left join sums s on s.owner = a.owner and s.currency = a.currency
		group by a.currency order by array_position(array['xp', 'points', 'coins'], a.currency)`,
	);
}

/** A person's balances, after a key, for an export. */
export function walletsOf(db: Queryable, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> {
	return db.query<Exported>(
		`select owner || ' ' || currency as key, owner as "profileId", currency, balance from accounts
		where owner = any($1::text[]) and ($2::text is null or owner || ' ' || currency collate "C" > $2) order by owner || ' ' || currency collate "C" limit $3`,
		[profileIds, after, limit],
	);
}

/** A person's entries, after a key, for an export. */
export function ledgerOf(db: Queryable, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> {
	const [owner = "", id = null] = after?.split(" ") ?? [];
	return db.query<Exported>(
		`select owner || ' ' || id as key, id, owner as "profileId", currency, amount, reason, source, at from entries
		where owner = any($1::text[]) and ($3::uuid is null or (owner, id) > ($2, $3)) order by owner, id limit $4`,
		[profileIds, owner, id, limit],
	);
}

/** The wallets become nobody's, each somebody's that leads to nobody: entries, sums and balances are what they were. */
export async function forgetOwners(tx: Tx, profileIds: readonly string[]): Promise<void> {
	for (const profileId of profileIds) {
		const owner = `erased:${randomUUID()}`;
		const moved = await tx.query(
			`insert into accounts (owner, currency, kind, balance) select $2, currency, 'erased', balance from accounts where owner = $1 returning 1`,
			[profileId, owner],
		);
		if (moved.length === 0) continue;
		await tx.query("update entries set owner = $2 where owner = $1", [profileId, owner]);
		// The other leg, by the transfer's id: nothing is found by a counterpart.
		await tx.query(
			`update entries e set counterpart = $2 from (select id, counterpart from entries where owner = $2) mine
			where e.owner = mine.counterpart and e.id = mine.id and e.counterpart = $1`,
			[profileId, owner],
		);
		await tx.query("delete from accounts where owner = $1", [profileId]);
	}
}
