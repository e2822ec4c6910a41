// Groups: one with its members, lists of them, and what events make of them.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { GroupState, Member } from "../domain/group.ts";
import type { EventOf } from "./events.ts";
import { notePerson } from "./persons.ts";

/** Where the log is in the same database, its head is its last row; else as far as it was brought here. */
export const lastRow = "(select coalesce(max(seq), 0)::bigint from room_events where room = g.id)";
const lastApplied = "(select seq from log_applied where room = g.id)";

/** A group with its members, as the log left it; null where there is none. `elsewhere`: the log is in another store. */
export async function loadGroup(db: Queryable, groupId: string, { elsewhere = false } = {}): Promise<GroupState | null> {
	const [group] = await db.query<Omit<GroupState, "members">>(
		`select id, name, description, is_public as "isPublic", creator_id as "creatorId", created_at as "createdAt",
			${elsewhere ? lastApplied : lastRow} as head
		from groups g where id = $1`,
		[groupId],
		elsewhere ? "group-load-elsewhere" : "group-load",
	);
	if (!group) return null;
	const rows = await db.query<Member & { profileId: string }>(
		`select profile_id as "profileId", display_name as "displayName", role, joined_at as "joinedAt", joined_seq as "joinedSeq", read_seq as "readSeq"
		from members where group_id = $1 order by joined_seq, profile_id`,
		[groupId],
		"group-members",
	);
	return { ...group, members: new Map(rows.map(({ profileId, ...member }) => [profileId, member])) };
}

/** What every list shows of a group. */
export const listed = `g.id, g.name, g.description, g.is_public as "isPublic", g.created_at as "createdAt", g.member_count as "memberCount"`;
/** Which groups of a profile, and which public ones it is not in: $1 the profile, $2 the id that the page goes on after, $3 how many. */
export const whereMine = `from members m join groups g on g.id = m.group_id
	where m.profile_id = $1 and ($2::uuid is null or m.group_id < $2) order by m.group_id desc limit $3`;
export const wherePublic = `from groups g where g.is_public and ($2::uuid is null or g.id < $2)
	and not exists (select 1 from members m where m.group_id = g.id and m.profile_id = $1) order by g.id desc limit $3`;

/** What an event makes of a group itself. */
export async function writeGroup(tx: Tx, groupId: string, seq: number, event: EventOf<"group">): Promise<void> {
	const { name, description, isPublic } = event.group;
	switch (event.action) {
		case "created":
			await tx.query(
				`insert into groups (id, name, description, is_public, creator_id, member_count, created_at, updated_at)
				values ($1, $2, $3, $4, $5, 1, $6, $6)`,
				[groupId, name, description, isPublic, event.by.profileId, event.at],
			);
			await tx.query(
				`insert into members (group_id, profile_id, display_name, role, joined_at, joined_seq, read_seq)
				values ($1, $2, $3, 'admin', $4, $5, $5)`,
				[groupId, event.by.profileId, event.by.displayName, event.at, seq],
			);
			await notePerson(tx, groupId, event.by.profileId);
			return;
		case "updated":
			await tx.query("update groups set name = $2, description = $3, is_public = $4, updated_at = $5 where id = $1", [
				groupId,
				name,
				description,
				isPublic,
				event.at,
			]);
			return;
		case "deleted":
			await tx.query("delete from groups where id = $1", [groupId]);
			await tx.query("delete from message_states where group_id = $1", [groupId]);
			await tx.query("delete from reactions where group_id = $1", [groupId]);
			await tx.query("delete from group_people where group_id = $1", [groupId]);
			return;
		default:
			return event.action satisfies never;
	}
}
