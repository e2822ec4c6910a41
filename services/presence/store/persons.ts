// What of the notifications is a person's: their own, and their name in those of others.
import type { Exported } from "../../../mixins/person/index.ts";
import type { Queryable } from "../../../mixins/postgres.ts";
import type { NotificationRow } from "./notifications.ts";

/** In the order of their ids, after one, for an export. */
export const notificationsOf = (db: Queryable, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> =>
	db.query<Exported>(
		`select id::text as key, id, profile_id as "profileId", kind, title, body, data, count, created_at as "createdAt", read_at as "readAt"
		from notifications where profile_id = any($1::uuid[]) and ($2::uuid is null or id > $2) order by id limit $3`,
		[profileIds, after, limit],
	);

export const preferencesOf = (db: Queryable, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> =>
	db.query<Exported>(
		`select profile_id::text as key, profile_id as "profileId", kinds, quiet_from as "quietFrom", quiet_to as "quietTo", time_zone as "timeZone", digest
		from preferences where profile_id = any($1::uuid[]) and ($2::uuid is null or profile_id > $2) order by profile_id limit $3`,
		[profileIds, after, limit],
	);

export function mutedGroupsOf(db: Queryable, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> {
	const [profile = null, group = null] = after?.split(" ") ?? [];
	return db.query<Exported>(
		`select profile_id || ' ' || group_id as key, profile_id as "profileId", group_id as "groupId", until from muted_groups
		where profile_id = any($1::uuid[]) and ($2::uuid is null or (profile_id, group_id) > ($2, $3::uuid)) order by profile_id, group_id limit $4`,
		[profileIds, profile, group, limit],
	);
}

/** How they are called here, and in what language and time zone they are written to. */
export const addressOf = (db: Queryable, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> =>
	db.query<Exported>(
		`select p.profile_id::text as key, p.profile_id as "profileId", p.display_name as "displayName", s.language, s.time_zone as "timeZone"
		from people p left join account_settings s on s.account_id = p.account_id
		where p.profile_id = any($1::uuid[]) and ($2::uuid is null or p.profile_id > $2) order by p.profile_id limit $3`,
		[profileIds, after, limit],
	);

/** Notifications of others that speak of what these profiles did. */
export const tellingOf = (
	db: Queryable,
	profileIds: readonly string[],
	limit: number,
): Promise<Pick<NotificationRow, "id" | "profileId" | "wording" | "language" | "vals" | "count" | "title" | "body" | "data">[]> =>
	db.query(
		`select id, profile_id as "profileId", wording, language, vals, count, title, body, data from notifications
		where by_id = any($1::uuid[]) order by id limit $2`,
		[profileIds, limit],
	);

/** It is nobody's doing any more. */
export async function anonymise(
	db: Queryable,
	{ id, vals, title, body, data }: Pick<NotificationRow, "id" | "vals" | "title" | "body" | "data">,
): Promise<void> {
	await db.query("update notifications set by_id = null, vals = $2, title = $3, body = $4, data = $5, cause = '' where id = $1", [
		id,
		JSON.stringify(vals),
		title,
		body,
		JSON.stringify(data),
	]);
}

/** Causes that are called after somebody: that they asked to come in. */
export async function forgetCauses(db: Queryable, profileIds: readonly string[]): Promise<void> {
	for (const id of profileIds) await db.query("delete from causes where cause like $1", [`request ${id} %`]);
}

/** In the events of somebody's room that told a notification of theirs. */
export async function anonymiseEvents(
	db: Queryable,
	room: string,
	id: string,
	words: { title: string; body: string },
	ids: readonly string[],
	nobody: string,
): Promise<void> {
	for (const gone of ids) {
		await db.query(
			`update room_events set body = replace((body::jsonb || jsonb_build_object('title', $3::text, 'body', $4::text))::text, $5, $6)::json
			where room = $1 and type = 'notification' and body ->> 'id' = $2 and body ->> 'title' is not null`,
			[room, id, words.title, words.body, gone, nobody],
		);
	}
}

/** What the account has set. */
export async function forgetAccount(db: Queryable, accountId: string): Promise<void> {
	await db.query("delete from account_settings where account_id = $1", [accountId]);
}
