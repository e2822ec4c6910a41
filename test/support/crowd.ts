// Many people at once, written where they are kept: for what is told to many.
import { randomUUID } from "node:crypto";
import { database } from "../../mixins/postgres.ts";

export interface Crowd {
	role?: string;
	kind?: string;
	language?: string | null;
	timeZone?: string | null;
	state?: string;
}

/** So many accounts with a profile each; nobody can sign in to them. Answers the profiles' ids. */
export async function crowd(
	count: number,
	{ role = "user", kind = "consumer", language = null, timeZone = null, state = "active" }: Crowd = {},
): Promise<string[]> {
	const mark = randomUUID();
	const now = new Date(Date.now() - 1_000);
	const db = database("identity");
	await db.query(
		`insert into accounts (id, email, password_hash, state, role, created_at, updated_at, language, time_zone)
		select gen_random_uuid(), n || '-' || $2 || '@example.org', '', $3, $4, $5, $5, $6, $7 from generate_series(1, $1) as n`,
		[count, mark, state, role, now, language, timeZone],
	);
	const profiles = await db.query<{ profileId: string; accountId: string }>(
		`insert into profiles (id, account_id, display_name, kind, created_at, updated_at)
		select gen_random_uuid(), id, 'Somebody', $2, $3, $3 from accounts where email like '%-' || $1 || '@example.org'
		returning id as "profileId", account_id as "accountId"`,
		[mark, kind, now],
	);
	const presence = database("presence");
	await presence.query(
		`insert into people (profile_id, account_id, display_name) select "profileId", "accountId", 'Somebody'
		from json_to_recordset($1::json) as p("profileId" uuid, "accountId" uuid)`,
		[JSON.stringify(profiles)],
	);
	await presence.query(
		`insert into account_settings (account_id, language, time_zone) select "accountId", $2, $3
		from json_to_recordset($1::json) as p("accountId" uuid)`,
		[JSON.stringify(profiles), language, timeZone],
	);
	return profiles.map(({ profileId }) => profileId);
}
