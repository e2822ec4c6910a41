// What the presence node keeps beside its rooms: when a profile was here last, and whether it hides.
import { erasedAmong } from "../../../mixins/person/index.ts";
import type { Exported } from "../../../mixins/person/index.ts";
import type { Db, Queryable } from "../../../mixins/postgres.ts";
import type { Seen } from "../domain/presence.ts";

/** What is known of profiles; those never seen are left out. */
export async function findSeen(db: Pick<Db, "query">, profileIds: readonly string[]): Promise<Map<string, Omit<Seen, "profileId">>> {
	const rows = await db.query<Seen>(
		`select profile_id as "profileId", last_seen as "lastSeen", hidden from seen where profile_id = any($1::uuid[])`,
		[profileIds],
		"seen-find",
	);
	return new Map(rows.map(({ profileId, lastSeen, hidden }) => [profileId, { lastSeen, hidden }]));
}

/** Times never go back; whether somebody hides is as said last. Of who is gone for good nothing is kept. */
export async function saveSeen(db: Pick<Db, "query">, seen: readonly Seen[]): Promise<void> {
	await db.query(
		`insert into seen (profile_id, last_seen, hidden)
		select "profileId", "lastSeen", hidden
		from json_to_recordset($1::json) as s("profileId" uuid, "lastSeen" timestamptz, hidden boolean)
		where not exists (select 1 from gone where gone.profile_id = s."profileId")
			and not exists (select 1 from erased_people e where e.id = s."profileId")
		on conflict (profile_id) do update
		set last_seen = greatest(seen.last_seen, excluded.last_seen), hidden = excluded.hidden`,
		[JSON.stringify(seen)],
		"seen-save",
	);
	// Whoever has gone while this was written: `forgetProfiles` was first at the row, and this came behind it.
	await db.query(
		`delete from seen where profile_id = any($1::uuid[])
			and (exists (select 1 from gone where gone.profile_id = seen.profile_id) or exists (select 1 from erased_people e where e.id = seen.profile_id))`,
		[seen.map(({ profileId }) => profileId)],
		"seen-gone",
	);
}

/** Nobody else writes to these profiles' rooms until the transaction ends. Always in one order, so that two never wait for each other. */
export async function lockRooms(tx: Queryable, profileIds: readonly string[]): Promise<void> {
	await tx.query(
		`select pg_advisory_xact_lock(hashtextextended('room ' || id, 0))
		from (select id from unnest($1::text[]) as r(id) order by hashtextextended('room ' || id, 0)) as sorted`,
		[profileIds],
		"rooms-lock",
	);
}

/** A profile is gone for good: nothing is remembered of it, and its room is empty. */
export async function bury(db: Queryable, profileId: string, at: string): Promise<void> {
	await db.query("insert into gone (profile_id, at) values ($1, $2) on conflict (profile_id) do nothing", [profileId, at]);
	await forgetProfiles(db, [profileId]);
}

/** Which of these profiles are gone for good: deleted, or erased with their person. */
export async function goneAmong(db: Queryable, profileIds: readonly string[]): Promise<Set<string>> {
	const rows = await db.query<{ id: string }>("select profile_id as id from gone where profile_id = any($1::uuid[])", [profileIds], "gone");
	return (await erasedAmong(db, profileIds)).union(new Set(rows.map(({ id }) => id)));
}

/** When a person's profiles were seen, after a key, for an export. */
export const seenOf = (db: Pick<Db, "query">, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> =>
	db.query<Exported>(
		`select profile_id::text as key, profile_id as "profileId", last_seen as "lastSeen", hidden from seen
		where profile_id = any($1::uuid[]) and ($2::uuid is null or profile_id > $2) order by profile_id limit $3`,
		[profileIds, after, limit],
	);

/** What stands in the rooms of a person's profiles, after a key, for an export. */
export function noticesOf(db: Pick<Db, "query">, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> {
	const [room = null, seq = 0] = after?.split(" ") ?? [];
	return db.query<Exported>(
		`select room || ' ' || seq as key, room as "profileId", seq, type, at, body from room_events
		where room = any($1::uuid[]) and ($2::uuid is null or (room, seq) > ($2, $3)) order by room, seq limit $4`,
		[profileIds, room, Number(seq), limit],
	);
}

export async function unbury(db: Queryable, profileIds: readonly string[]): Promise<void> {
	await db.query("delete from gone where profile_id = any($1::uuid[])", [profileIds]);
}

/** Everything that is kept by these profiles' ids. */
export async function forgetProfiles(db: Queryable, profileIds: readonly string[]): Promise<void> {
	// Waits for whoever writes such a row at this moment, and lets whoever comes behind wait for us.
	await db.query(
		`insert into seen (profile_id, last_seen) select id, 'epoch' from unnest($1::uuid[]) as id
		on conflict (profile_id) do update set last_seen = seen.last_seen`,
		[[...profileIds].sort()],
	);
	for (const table of ["seen", "people", "notifications", "causes", "preferences", "muted_groups", "blocks", "devices"])
		await db.query(`delete from ${table} where profile_id = any($1::uuid[])`, [profileIds]);
	await db.query("delete from blocks where blocked_id = any($1::uuid[])", [profileIds]);
	await db.query("delete from direct_talks where profile_ids && $1::uuid[]", [profileIds]);
	await db.query("delete from room_events where room = any($1::uuid[])", [profileIds]);
}
