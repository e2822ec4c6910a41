// A person in all their groups: for an export, and to be forgotten.
import type { NewEvent } from "../../../mixins/log-carrier.ts";
import type { Exported } from "../../../mixins/person/index.ts";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import { DELETED } from "../../contracts/persons.ts";

/** Somebody is in a group, now or once. */
export async function notePerson(tx: Tx, groupId: string, profileId: string): Promise<void> {
	await tx.query("insert into group_people (profile_id, group_id) values ($1, $2) on conflict do nothing", [profileId, groupId]);
}

/** Groups that a profile is in. */
export async function groupsWith(db: Queryable, profileId: string): Promise<string[]> {
	const rows = await db.query<{ id: string }>("select group_id as id from members where profile_id = $1 order by group_id limit 1000", [
		profileId,
	]);
	return rows.map(({ id }) => id);
}

/** Groups that a profile is or was in, from after one on. */
export async function groupsEver(db: Queryable, profileId: string, after: string | null, limit: number): Promise<string[]> {
	const rows = await db.query<{ id: string }>(
		`select group_id as id from group_people where profile_id = $1 and ($2::uuid is null or group_id > $2) order by group_id limit $3`,
		[profileId, after, limit],
	);
	return rows.map(({ id }) => id);
}

/** What is not in the log: invites, wishes to join, reactions. Reactions stay in the count, each of somebody else that nobody is. */
export async function forgetRows(tx: Tx, profileIds: readonly string[]): Promise<void> {
	await tx.query("delete from invites where invitee_id = any($1::uuid[])", [profileIds]);
	await tx.query("update invites set inviter_id = $2 where inviter_id = any($1::uuid[])", [profileIds, DELETED.profileId]);
	await tx.query("delete from join_requests where profile_id = any($1::uuid[])", [profileIds]);
	await tx.query("delete from bans where profile_id = any($1::uuid[])", [profileIds]);
	await tx.query("update bans set by_id = $2 where by_id = any($1::uuid[])", [profileIds, DELETED.profileId]);
	await tx.query("delete from blocks where profile_id = any($1::uuid[]) or blocked_id = any($1::uuid[])", [profileIds]);
	await tx.query("delete from direct_pairs where low = any($1::uuid[]) or high = any($1::uuid[])", [profileIds]);
	await tx.query(
		`update message_states s set sender = $2
		from group_people p where p.profile_id = any($1::uuid[]) and s.group_id = p.group_id and s.sender = p.profile_id`,
		[profileIds, DELETED.profileId],
	);
	await tx.query(
		`update reactions r set profile_id = gen_random_uuid()
		from group_people p where p.profile_id = any($1::uuid[]) and r.group_id = p.group_id and r.profile_id = p.profile_id`,
		[profileIds],
	);
	await tx.query("update groups set creator_id = $2 where creator_id = any($1::uuid[])", [profileIds, DELETED.profileId]);
	await tx.query("delete from people where profile_id = any($1::uuid[])", [profileIds]);
	await tx.query("delete from group_people where profile_id = any($1::uuid[])", [profileIds]);
}

type Question = (db: Queryable, profileIds: readonly string[], after: string | null, limit: number) => Promise<Exported[]>;

/** Two ids as a key, and after which of them. */
const pair = (after: string | null): [string | null, string | null] => {
	const [one = null, other = null] = after?.split(" ") ?? [];
	return [one, other];
};

export const memberships: Question = (db, profileIds, after, limit) =>
	db.query<Exported>(
		`select m.profile_id || ' ' || m.group_id as key, m.group_id as "groupId", g.name as "groupName", m.profile_id as "profileId",
			m.display_name as "displayName", m.role, m.joined_at as "joinedAt", m.read_seq as "readSeq", m.muted_until as "mutedUntil", g.kind, g.creator_id = m.profile_id as "madeByYou"
		from members m join groups g on g.id = m.group_id
		where m.profile_id = any($1::uuid[]) and ($2::uuid is null or (m.profile_id, m.group_id) > ($2, $3::uuid))
		order by m.profile_id, m.group_id limit $4`,
		[profileIds, ...pair(after), limit],
	);

/** Without the token that opens an invite. */
export const invites: Question = (db, profileIds, after, limit) =>
	db.query<Exported>(
		`select id::text as key, id, group_id as "groupId", inviter_id = any($1::uuid[]) as "byYou", role, state, created_at as "createdAt",
			expires_at as "expiresAt", ended_at as "endedAt"
		from invites where (inviter_id = any($1::uuid[]) or invitee_id = any($1::uuid[])) and ($2::uuid is null or id > $2) order by id limit $3`,
		[profileIds, after, limit],
	);

export const joinRequests: Question = (db, profileIds, after, limit) =>
	db.query<Exported>(
		`select profile_id || ' ' || group_id as key, group_id as "groupId", profile_id as "profileId", requested_at as "requestedAt" from join_requests
		where profile_id = any($1::uuid[]) and ($2::uuid is null or (profile_id, group_id) > ($2, $3::uuid))
		order by profile_id, group_id limit $4`,
		[profileIds, ...pair(after), limit],
	);

/** Where one was banned, and whom one has banned. */
export const bans: Question = (db, profileIds, after, limit) =>
	db.query<Exported>(
		`select b.group_id || ' ' || b.profile_id as key, b.group_id as "groupId", g.name as "groupName", b.banned_at as "bannedAt",
			case when b.profile_id = any($1::uuid[]) then b.profile_id end as "profileId", b.by_id = any($1::uuid[]) as "byYou"
		from bans b join groups g on g.id = b.group_id
		where (b.profile_id = any($1::uuid[]) or b.by_id = any($1::uuid[])) and ($2::uuid is null or (b.group_id, b.profile_id) > ($2, $3::uuid))
		order by b.group_id, b.profile_id limit $4`,
		[profileIds, ...pair(after), limit],
	);

/** Whom one has blocked. Who has blocked one is theirs. */
export const blocks: Question = (db, profileIds, after, limit) =>
	db.query<Exported>(
		`select profile_id || ' ' || blocked_id as key, profile_id as "profileId", blocked_id as "blockedId", display_name as "displayName",
			blocked_at as "blockedAt"
		from blocks where profile_id = any($1::uuid[]) and ($2::uuid is null or (profile_id, blocked_id) > ($2, $3::uuid))
		order by profile_id, blocked_id limit $4`,
		[profileIds, ...pair(after), limit],
	);

export const reactions: Question = async (db, profileIds, after, limit) => {
	const [group = null, seq = "0", profile = null, ...emoji] = after?.split(" ") ?? [];
	return db.query<Exported>(
		`select r.group_id || ' ' || r.seq || ' ' || r.profile_id || ' ' || r.emoji as key, r.group_id as "groupId", r.seq, r.emoji, r.at
		from group_people p join reactions r on r.group_id = p.group_id and r.profile_id = p.profile_id
		where p.profile_id = any($1::uuid[]) and ($2::uuid is null or (r.group_id, r.seq, r.profile_id, r.emoji collate "C") > ($2, $3, $4::uuid, $5))
		order by r.group_id, r.seq, r.profile_id, r.emoji collate "C" limit $6`,
		[profileIds, group, Number(seq), profile, emoji.join(" "), limit],
	);
};

/** How the present state of messages shows in an export. */
export async function withStates(db: Queryable, events: readonly NewEvent[]): Promise<Exported[]> {
	const states = await db.query<{ room: string; seq: number; content: string | null; editedAt: string | null; deletedAt: string | null }>(
		`select s.group_id as room, s.seq, s.content, s.edited_at as "editedAt", s.deleted_at as "deletedAt"
		from unnest($1::uuid[], $2::bigint[]) as k (room, seq) join message_states s on s.group_id = k.room and s.seq = k.seq`,
		[events.map(({ room }) => room), events.map(({ seq }) => seq)],
	);
	const byKey = new Map(states.map((state) => [`${state.room} ${state.seq}`, state]));
	return events.map(({ room, seq, at, sender, body }) => {
		const key = `${room} ${seq}`;
		const { message } = body as { message: Record<string, unknown> };
		const { content, editedAt, deletedAt } = byKey.get(key) ?? { content: null, editedAt: null, deletedAt: null };
		const shown = deletedAt ? null : editedAt ? content : message.content;
		return {
			key,
			groupId: room,
			seq,
			at,
			profileId: sender,
			...message,
			content: shown,
			...(editedAt && { editedAt }),
			...(deletedAt && { deletedAt }),
		};
	});
}
