// Whom many-at-once is for: profiles of accounts that may sign in.
import type { Queryable } from "../../../mixins/postgres.ts";
import type { Params } from "../../contracts/index.ts";
import { accountRole } from "../../contracts/identity.ts";

type Whom = Pick<Params<"identity.audience">, "role" | "area" | "profileIds" | "before">;

const isAccountRole = (role: string): boolean => (accountRole.values as readonly string[]).includes(role);

const where = `p.created_at < $1
	and (a.state in ('unverified', 'active', 'mustChangePassword') or (a.state = 'banned' and a.banned_until <= $2))
	and ($3::text is null or a.role = $3) and ($4::text is null or p.kind = $4)
	and ($5::text is null or a.time_zone = $5 or starts_with(a.time_zone, $5 || '/'))
	and ($6::uuid[] is null or p.id = any($6))`;

function values({ role = null, area, profileIds, before }: { [K in keyof Whom]: Whom[K] | null }, now: Date): unknown[] {
	const [ofAccount, ofProfile] = role !== null && isAccountRole(role) ? [role, null] : [null, role];
	return [before, now, ofAccount, ofProfile, area ?? null, profileIds ?? null];
}

export async function audience(db: Queryable, whom: Whom, after: string | null, limit: number, now: Date): Promise<string[]> {
	const rows = await db.query<{ id: string }>(
		`select p.id from profiles p join accounts a on a.id = p.account_id
		where ($7::uuid is null or p.id > $7) and ${where} order by p.id limit $8`,
		[...values(whom, now), after, limit],
	);
	return rows.map(({ id }) => id);
}

export async function audienceSize(db: Queryable, whom: Whom, now: Date): Promise<number> {
	const [row] = await db.query<{ profiles: number }>(
		`select count(*)::int as profiles from profiles p join accounts a on a.id = p.account_id where ${where}`,
		values(whom, now),
	);
	return row?.profiles ?? 0;
}
