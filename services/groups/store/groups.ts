// Groups: one with its members, lists of them, and what events make of them.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { GroupState } from "../domain/group.ts";
import { Roster } from "../domain/roster.ts";
import type { EventOf } from "./events.ts";
import { firstAndStaff } from "./members.ts";
import { notePerson } from "./persons.ts";

/** Where the log is in the same database, its head is its last row; else as far as it was brought here. */
export const lastRow = "(select coalesce(max(seq), 0)::bigint from room_events where room = g.id)";
const lastApplied = "(select seq from log_applied where room = g.id)";

/** So many members are read with their group, those first who came first; of the others those who are asked about. */
const READ_AT_ONCE = 100;

type Row = Omit<GroupState, "members" | "pair"> & { size: number; pair: [string, string] | null };

/** A group with those of its members who must be known, as the log left it; null where there is none. `elsewhere`: the log is in another store. */
export async function loadGroup(db: Queryable, groupId: string, { elsewhere = false } = {}): Promise<GroupState | null> {
	const [group] = await db.query<Row>(
		`select g.id, name, description, is_public as "isPublic", kind, avatar_id as avatar, creator_id as "creatorId", created_at as "createdAt",
			member_count as size, ${elsewhere ? lastApplied : lastRow} as head,
			case when d.group_id is not null then json_build_array(d.low, d.high) end as pair,
			exists (select 1 from blocks b where (b.profile_id = d.low and b.blocked_id = d.high) or (b.profile_id = d.high and b.blocked_id = d.low)) as blocked
		from groups g left join direct_pairs d on d.group_id = g.id where g.id = $1`,
		[groupId],
		elsewhere ? "group-load-elsewhere" : "group-load",
	);
	if (!group) return null;
	const { size, pair, ...state } = group;
	return { ...state, ...(pair && { pair }), members: new Roster(await firstAndStaff(db, groupId, READ_AT_ONCE), size) };
}

/** What every list shows of a group to the profile $1. */
export const listed = `g.id, g.name, g.description, g.is_public as "isPublic", g.kind, g.avatar_id as avatar, g.created_at as "createdAt", g.member_count as "memberCount",
	case when g.kind = 'direct' then (select json_build_object('profileId', p.profile_id, 'displayName', p.display_name)
		from members p where p.group_id = g.id and p.profile_id <> $1 limit 1) end as peer`;
/** Which groups of a profile, and which public ones it is not in: $1 the profile, $2 the id that the page goes on after, $3 how many. */
export const whereMine = (more = "") => `from members m join groups g on g.id = m.group_id ${more}
	where m.profile_id = $1 and ($2::uuid is null or m.group_id < $2) order by m.group_id desc limit $3`;
export const wherePublic = `from groups g where g.is_public and ($2::uuid is null or g.id < $2)
	and not exists (select 1 from members m where m.group_id = g.id and m.profile_id = $1) order by g.id desc limit $3`;

/** What an event makes of a group itself. */
export async function writeGroup(tx: Tx, groupId: string, seq: number, event: EventOf<"group">): Promise<void> {
	const { name, description, isPublic, avatar = null, kind = "group" } = event.group;
	switch (event.action) {
		case "created":
			await tx.query(
				`insert into groups (id, name, description, is_public, kind, avatar_id, creator_id, member_count, created_at, updated_at)
				values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)`,
				[groupId, name, description, isPublic, kind, avatar, event.by.profileId, event.at],
			);
			await tx.query(
				`insert into members (group_id, profile_id, display_name, role, joined_at, joined_seq, read_seq)
				values ($1, $2, $3, $4, $5, $6, $6)`,
				[groupId, event.by.profileId, event.by.displayName, kind === "direct" ? "member" : "admin", event.at, seq],
			);
			await notePerson(tx, groupId, event.by.profileId);
			return;
		case "updated":
			await tx.query("update groups set name = $2, description = $3, is_public = $4, avatar_id = $5, updated_at = $6 where id = $1", [
				groupId,
				name,
				description,
				isPublic,
				avatar,
				event.at,
			]);
			return;
		case "deleted":
			await tx.query("delete from groups where id = $1", [groupId]);
			await tx.query("delete from message_states where group_id = $1", [groupId]);
			await tx.query("delete from reactions where group_id = $1", [groupId]);
			await tx.query("delete from group_people where group_id = $1", [groupId]);
			await tx.query("delete from message_words where room = $1", [groupId]);
			await tx.query("delete from direct_pairs where group_id = $1", [groupId]);
			return;
		default:
			return event.action satisfies never;
	}
}
