// What groups keep of profiles: how they are called now, and that they are gone.
import type { Queryable } from "../../../mixins/postgres.ts";
import type { OpenInvite } from "../domain/decision.ts";

/** How a profile is called now; null where it is gone, undefined where nothing is known but what its token says. */
export async function nameOf(db: Queryable, profileId: string): Promise<string | null | undefined> {
	const [row] = await db.query<{ displayName: string | null }>(
		`select display_name as "displayName" from people where profile_id = $1
		union all select null from erased_people where id = $1 order by 1 nulls first limit 1`,
		[profileId],
		"person-name",
	);
	return row?.displayName;
}

/** How members are called now, by group and profile; who is none is left out. */
export async function namesIn(db: Queryable, of: readonly { groupId: string; profileId: string }[]): Promise<Map<string, string>> {
	const rows = await db.query<{ groupId: string; profileId: string; displayName: string }>(
		`select m.group_id as "groupId", m.profile_id as "profileId", m.display_name as "displayName"
		from unnest($1::uuid[], $2::uuid[]) as k (group_id, profile_id) join members m on m.group_id = k.group_id and m.profile_id = k.profile_id`,
		[of.map(({ groupId }) => groupId), of.map(({ profileId }) => profileId)],
		"names-in",
	);
	return new Map(rows.map(({ groupId, profileId, displayName }) => [`${groupId} ${profileId}`, displayName]));
}

/** The avatars of these profiles; who has none is left out. */
export const avatarsOf = (db: Queryable, profileIds: readonly string[]): Promise<{ profileId: string; avatar: string }[]> =>
	db.query(
		`select profile_id as "profileId", avatar from people where profile_id = any($1::uuid[]) and avatar is not null`,
		[profileIds],
		"avatars-of",
	);

/** A profile has another name or avatar, wherever it is a member or asks to be one; answers the groups of which it is a member. Of the erased none is kept. */
export async function rename(
	db: Queryable,
	{ profileId, displayName, avatar }: { profileId: string; displayName: string; avatar: string | null },
	at: string,
): Promise<string[]> {
	await db.query(
		`insert into people (profile_id, display_name, at, avatar)
		select $1::uuid, $2::text, $3::timestamptz, $4::uuid where not exists (select 1 from erased_people where id = $1)
		on conflict (profile_id) do update set display_name = excluded.display_name, at = excluded.at, avatar = excluded.avatar
		where people.display_name is not null`,
		[profileId, displayName, at, avatar],
	);
	await db.query("update join_requests set display_name = $2 where profile_id = $1", [profileId, displayName]);
	await db.query("update bans set display_name = $2 where profile_id = $1", [profileId, displayName]);
	await db.query("update blocks set display_name = $2 where blocked_id = $1", [profileId, displayName]);
	const rows = await db.query<{ groupId: string }>(
		`update members set display_name = $2 where profile_id = $1 and display_name <> $2 returning group_id as "groupId"`,
		[profileId, displayName],
	);
	return rows.map(({ groupId }) => groupId);
}

/** Profiles are gone: nobody becomes a member as one of them any more, and nobody need be kept from them. */
export async function bury(db: Queryable, profileIds: readonly string[], at: string): Promise<void> {
	await db.query(
		`insert into people (profile_id, display_name, at) select id, null, $2 from unnest($1::uuid[]) as gone (id)
		on conflict (profile_id) do update set display_name = null, avatar = null, at = excluded.at`,
		[profileIds, at],
	);
	await db.query("delete from bans where profile_id = any($1::uuid[])", [profileIds]);
	await db.query("delete from blocks where profile_id = any($1::uuid[]) or blocked_id = any($1::uuid[])", [profileIds]);
}

/** Open invites to these profiles, and by them: nobody answers them, or would know who asks. And who of them asks to join. */
export async function endAsking(
	db: Queryable,
	profileIds: readonly string[],
	at: string,
): Promise<{ invites: (OpenInvite & { groupId: string })[]; requests: { groupId: string; profileId: string }[] }> {
	const invites = await db.query<OpenInvite & { groupId: string }>(
		`update invites set state = 'revoked', ended_at = $2, email = null
		where (invitee_id = any($1::uuid[]) or inviter_id = any($1::uuid[])) and state = 'pending'
		returning id, group_id as "groupId", inviter_id as "inviterId", invitee_id as "inviteeId", role`,
		[profileIds, at],
	);
	const requests = await db.query<{ groupId: string; profileId: string }>(
		`delete from join_requests where profile_id = any($1::uuid[]) returning group_id as "groupId", profile_id as "profileId"`,
		[profileIds],
	);
	return { invites, requests };
}

/** The memberships that there are of these profiles. */
export function membershipsOf(db: Queryable, profileIds: readonly string[]): Promise<{ groupId: string; profileId: string }[]> {
	return db.query(
		`select group_id as "groupId", profile_id as "profileId" from members where profile_id = any($1::uuid[]) order by group_id, profile_id`,
		[profileIds],
	);
}
