// What notifications must know of people: how they are called, what language they read, whom they want to hear nothing of.
import type { Queryable } from "../../../mixins/postgres.ts";
import type { Digest } from "../../contracts/notifications.ts";
import type { Wishes } from "../domain/kinds.ts";
import type { QuietHours } from "../domain/local-time.ts";

const notErased = (...ids: string[]) => ids.map((id) => `not exists (select 1 from erased_people e where e.id = ${id})`).join(" and ");

export interface Somebody {
	profileId: string;
	accountId: string;
	displayName: string;
}

/**
 * Profiles are now called so. Of the erased and the gone nothing is kept.
 * @param anew where false, what is known already is newer
 */
export async function savePeople(db: Queryable, people: readonly Somebody[], anew = true): Promise<void> {
	if (people.length === 0) return;
	await db.query(
		`insert into people (profile_id, account_id, display_name)
		select distinct on ("profileId") "profileId", "accountId", "displayName"
		from rows from (json_to_recordset($1::json) as ("profileId" uuid, "accountId" uuid, "displayName" text)) with ordinality
			as p("profileId", "accountId", "displayName", n)
		where ${notErased('"profileId"', '"accountId"')} and not exists (select 1 from gone g where g.profile_id = "profileId")
		order by "profileId", n desc
		on conflict (profile_id) do ${anew ? "update set display_name = excluded.display_name" : "nothing"}`,
		[JSON.stringify(people)],
	);
}

/** @param anew where false, what is known already is newer */
export async function saveSettings(
	db: Queryable,
	settings: readonly { accountId: string; language: string | null; timeZone: string | null }[],
	anew = true,
): Promise<void> {
	if (settings.length === 0) return;
	await db.query(
		`insert into account_settings (account_id, language, time_zone)
		select distinct on ("accountId") "accountId", language, "timeZone"
		from rows from (json_to_recordset($1::json) as ("accountId" uuid, language text, "timeZone" text)) with ordinality
			as s("accountId", language, "timeZone", n)
		where ${notErased('"accountId"')} order by "accountId", n desc
		on conflict (account_id) do ${anew ? "update set language = excluded.language, time_zone = excluded.time_zone" : "nothing"}`,
		[JSON.stringify(settings)],
	);
}

/** Names by profile; of who is not known there is none. */
export async function namesOf(db: Queryable, profileIds: readonly string[]): Promise<Map<string, string>> {
	const rows = await db.query<Somebody>(
		`select profile_id as "profileId", display_name as "displayName" from people where profile_id = any($1::uuid[])`,
		[profileIds],
	);
	return new Map(rows.map(({ profileId, displayName }) => [profileId, displayName]));
}

/** The oldest profile of each account. */
export async function firstProfiles(db: Queryable, accountIds: readonly string[]): Promise<Map<string, string>> {
	const rows = await db.query<Somebody>(
		`select distinct on (account_id) account_id as "accountId", profile_id as "profileId" from people
		where account_id = any($1::uuid[]) order by account_id, profile_id`,
		[accountIds],
	);
	return new Map(rows.map(({ accountId, profileId }) => [accountId, profileId]));
}

/** How somebody wants to be told. */
export interface Manner {
	profileId: string;
	language: string | null;
	timeZone: string;
	/** What holds where the preferences name none. */
	accountTimeZone: string;
	wishes: Wishes;
	quiet: QuietHours | null;
	digest: Digest;
}
const DEFAULT_DIGEST: Digest = "daily";

/** Of who has said nothing, what holds by default. */
export async function mannersOf(db: Queryable, profileIds: readonly string[]): Promise<Map<string, Manner>> {
	const rows = await db.query<Omit<Manner, "quiet"> & QuietColumns>(
		`select asked.id as "profileId", s.language, coalesce(p.time_zone, s.time_zone, 'UTC') as "timeZone",
			coalesce(s.time_zone, 'UTC') as "accountTimeZone", coalesce(p.kinds, '{}') as wishes,
			p.quiet_from as "quietFrom", p.quiet_to as "quietTo",
			coalesce(p.digest, $2) as digest
		from unnest($1::uuid[]) as asked(id)
			left join people who on who.profile_id = asked.id
			left join account_settings s on s.account_id = who.account_id
			left join preferences p on p.profile_id = asked.id`,
		[profileIds, DEFAULT_DIGEST],
	);
	return new Map(rows.map(({ quietFrom, quietTo, ...row }) => [row.profileId, { ...row, quiet: quietOf({ quietFrom, quietTo }) }]));
}

export interface QuietColumns {
	quietFrom: string | null;
	quietTo: string | null;
}
export const quietOf = ({ quietFrom, quietTo }: QuietColumns): QuietHours | null =>
	quietFrom === null || quietTo === null ? null : { from: quietFrom, to: quietTo };

export async function block(db: Queryable, profileId: string, blockedId: string): Promise<void> {
	await db.query(
		`insert into blocks (profile_id, blocked_id) select $1::uuid, $2::uuid where ${notErased("$1::uuid", "$2::uuid")} on conflict do nothing`,
		[profileId, blockedId],
	);
}

export async function unblock(db: Queryable, profileId: string, blockedId: string): Promise<void> {
	await db.query("delete from blocks where profile_id = $1 and blocked_id = $2", [profileId, blockedId]);
}

export interface Pair {
	one: string;
	other: string;
}
export const pairKey = ({ one, other }: Pair): string => `${one} ${other}`;

/** Those of the pairs who hear nothing of each other, because either has blocked the other. */
export async function apartAmong(db: Queryable, pairs: readonly Pair[]): Promise<Set<string>> {
	if (pairs.length === 0) return new Set();
	const rows = await db.query<Pair>(
		`select one, other from json_to_recordset($1::json) as p(one uuid, other uuid)
		where exists (select 1 from blocks b where b.profile_id = one and b.blocked_id = other)
			or exists (select 1 from blocks b where b.profile_id = other and b.blocked_id = one)`,
		[JSON.stringify(pairs)],
	);
	return new Set(rows.map(pairKey));
}

/** Of each of these profiles, whom it has blocked and who has blocked it; of those where there is anybody. */
export async function apartFrom(db: Pick<Queryable, "query">, profileIds: readonly string[]): Promise<Map<string, Set<string>>> {
	const rows = await db.query<{ id: string; others: string[] }>(
		`select id, array_agg(other::text) as others from (
			select profile_id as id, blocked_id as other from blocks where profile_id = any($1::uuid[])
			union all select blocked_id, profile_id from blocks where blocked_id = any($1::uuid[])
		) as apart group by id`,
		[profileIds],
	);
	return new Map(rows.map(({ id, others }) => [id, new Set(others)]));
}

/** @param until null: for good */
export async function mute(db: Queryable, profileId: string, groupId: string, until: string | null): Promise<void> {
	await db.query(
		`insert into muted_groups (profile_id, group_id, until) select $1::uuid, $2::uuid, $3::timestamptz where ${notErased("$1::uuid")}
		on conflict (profile_id, group_id) do update set until = excluded.until`,
		[profileId, groupId, until],
	);
}

export async function unmute(db: Queryable, profileId: string, groupId: string): Promise<void> {
	await db.query("delete from muted_groups where profile_id = $1 and group_id = $2", [profileId, groupId]);
}

/** Those of the pairs (profile, group) that are muted. */
export async function mutedAmong(db: Queryable, pairs: readonly Pair[], now: Date): Promise<Set<string>> {
	if (pairs.length === 0) return new Set();
	const rows = await db.query<Pair>(
		`select one, other from json_to_recordset($1::json) as p(one uuid, other uuid)
		where exists (select 1 from muted_groups m where m.profile_id = one and m.group_id = other and (m.until is null or m.until > $2))`,
		[JSON.stringify(pairs), now],
	);
	return new Set(rows.map(pairKey));
}

export async function saveTalk(db: Queryable, groupId: string, profileIds: readonly string[]): Promise<void> {
	await db.query("insert into direct_talks (group_id, profile_ids) values ($1, $2::uuid[]) on conflict do nothing", [groupId, profileIds]);
}

/** Of the groups that are talks of two: the two. */
export async function talksAmong(db: Queryable, groupIds: readonly string[]): Promise<Map<string, string[]>> {
	if (groupIds.length === 0) return new Map();
	const rows = await db.query<{ groupId: string; profileIds: string[] }>(
		`select group_id as "groupId", profile_ids::text[] as "profileIds" from direct_talks where group_id = any($1::uuid[])`,
		[groupIds],
	);
	return new Map(rows.map(({ groupId, profileIds }) => [groupId, profileIds]));
}

/** A group is gone. */
export async function forgetGroup(db: Queryable, groupId: string): Promise<void> {
	await db.query("delete from muted_groups where group_id = $1", [groupId]);
	await db.query("delete from direct_talks where group_id = $1", [groupId]);
}

/** How far the people have been learned that were there before; undefined where all are. */
export async function learnedTo(db: Queryable): Promise<{ after: string | null } | undefined> {
	const [row] = await db.query<{ after: string | null }>("select after from learning");
	return row;
}

/** @param after null: that was all */
export async function noteLearned(db: Queryable, after: string | null): Promise<void> {
	if (after === null) await db.query("delete from learning");
	else await db.query("update learning set after = $1", [after]);
}
