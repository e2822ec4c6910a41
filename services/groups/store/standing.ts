// What is kept of profiles in a group besides membership: who asks to join, who is banned.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Effect } from "../domain/decision.ts";
import type { Caller } from "../domain/group.ts";
import type { Standing } from "../domain/members.ts";

/** How a profile stands to a group at that time. */
export async function standingOf(db: Queryable, groupId: string, profileId: string, at: string): Promise<Standing> {
	const [row] = await db.query<Standing & { invite: Standing["invite"] | null }>(
		`select exists (select 1 from bans where group_id = $1 and profile_id = $2) as banned,
			exists (select 1 from join_requests where group_id = $1 and profile_id = $2) as requested,
			(select json_build_object('id', id, 'inviterId', inviter_id, 'inviteeId', invitee_id, 'role', role) from invites
				where group_id = $1 and invitee_id = $2 and state = 'pending' and expires_at > $3) as invite`,
		[groupId, profileId, at],
		"standing",
	);
	return { banned: row?.banned ?? false, requested: row?.requested ?? false, invite: row?.invite ?? undefined };
}

// ---------------------------------------------------------------- requests

export async function writeJoinRequest(tx: Tx, groupId: string, request: Extract<Effect, { kind: "requestJoin" }>): Promise<void> {
	await tx.query(
		"insert into join_requests (group_id, profile_id, display_name, requested_at) values ($1, $2, $3, $4) on conflict do nothing",
		[groupId, request.profileId, request.displayName, request.at],
	);
}

export async function endRequest(tx: Tx, groupId: string, profileId: string): Promise<void> {
	await tx.query("delete from join_requests where group_id = $1 and profile_id = $2", [groupId, profileId]);
}

/** Who asks under this id. */
export async function findRequest(db: Queryable, groupId: string, profileId: string): Promise<Caller | undefined> {
	const [row] = await db.query<Caller>(
		`select profile_id as "profileId", display_name as "displayName" from join_requests where group_id = $1 and profile_id = $2`,
		[groupId, profileId],
	);
	return row;
}

/** Who asks to join, oldest first, after a place in that order. */
export function requestsAfter(db: Queryable, groupId: string, at: string | null, profileId: string | null, limit: number) {
	return db.query<Caller & { requestedAt: string }>(
		`select profile_id as "profileId", display_name as "displayName", requested_at as "requestedAt" from join_requests
		where group_id = $1 and ($3::uuid is null or (requested_at, profile_id) > ($2::timestamptz, $3::uuid))
		order by requested_at, profile_id limit $4`,
		[groupId, at, profileId, limit],
	);
}

// ---------------------------------------------------------------- bans

export async function writeBan(tx: Tx, groupId: string, ban: Caller & { byId: string; at: string }): Promise<void> {
	await tx.query(
		`insert into bans (group_id, profile_id, display_name, by_id, banned_at)
		values ($1, $2, coalesce((select display_name from people where profile_id = $2), $3), $4, $5) on conflict do nothing`,
		[groupId, ban.profileId, ban.displayName, ban.byId, ban.at],
	);
}

export async function unban(tx: Tx, groupId: string, profileId: string): Promise<void> {
	await tx.query("delete from bans where group_id = $1 and profile_id = $2", [groupId, profileId]);
}

/** Who is banned, newest first, before a place in that order. */
export function bansBefore(db: Queryable, groupId: string, at: string | null, profileId: string | null, limit: number) {
	return db.query<Caller & { bannedAt: string; byId: string }>(
		`select profile_id as "profileId", display_name as "displayName", banned_at as "bannedAt", by_id as "byId" from bans
		where group_id = $1 and ($3::uuid is null or (banned_at, profile_id) < ($2::timestamptz, $3::uuid))
		order by banned_at desc, profile_id desc limit $4`,
		[groupId, at, profileId, limit],
	);
}
