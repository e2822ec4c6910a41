// Members of groups.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Member } from "../domain/group.ts";
import type { Entry } from "../domain/roster.ts";
import { endRequest, writeBan } from "./standing.ts";
import type { EventOf } from "./events.ts";
import { notePerson } from "./persons.ts";

const columns = `profile_id as "profileId", display_name as "displayName", role, joined_at as "joinedAt", joined_seq as "joinedSeq",
	read_seq as "readSeq", muted_until as "mutedUntil"`;
type Row = Member & { profileId: string };
const entry = ({ profileId, ...member }: Row): Entry => [profileId, member];

/** Those who came first, and moderators and admins whenever they came. */
export async function firstAndStaff(db: Queryable, groupId: string, first: number): Promise<Entry[]> {
	const rows = await db.query<Row>(
		`(select ${columns} from members where group_id = $1 order by joined_seq, profile_id limit $2)
		union select ${columns} from members where group_id = $1 and role <> 'member'`,
		[groupId, first],
		"group-members",
	);
	return rows.map(entry);
}

/** Those of these profiles who are members. */
export async function membersAmong(db: Queryable, groupId: string, profileIds: readonly string[]): Promise<Map<string, Member>> {
	const rows = await db.query<Row>(
		`select ${columns} from members where group_id = $1 and profile_id = any($2::uuid[])`,
		[groupId, profileIds],
		"members-among",
	);
	return new Map(rows.map(entry));
}

/** A page of the members in the order of their joining, after a place in it. */
export async function membersAfter(db: Queryable, groupId: string, seq: number, profileId: string | null, limit: number): Promise<Entry[]> {
	const rows = await db.query<Row>(
		`select ${columns} from members where group_id = $1
			and ($3::uuid is null or (joined_seq, profile_id) > ($2::bigint, $3::uuid)) order by joined_seq, profile_id limit $4`,
		[groupId, seq, profileId, limit],
		"members-after",
	);
	return rows.map(entry);
}

/** Who has been there longest beside a profile. */
export async function eldestBeside(db: Queryable, groupId: string, profileId: string): Promise<Entry | undefined> {
	const rows = await db.query<Row>(
		`select ${columns} from members where group_id = $1 and profile_id <> $2 order by joined_seq, profile_id limit 1`,
		[groupId, profileId],
	);
	return rows.map(entry)[0];
}

/** What an event makes of a member. */
export async function writeMember(tx: Tx, groupId: string, seq: number, event: EventOf<"member">): Promise<void> {
	const { action, profileId, displayName, role, at } = event;
	if (action === "roleChanged") {
		await tx.query("update members set role = $3 where group_id = $1 and profile_id = $2", [groupId, profileId, role]);
		return;
	}
	if (action === "joined") {
		await tx.query(
			`insert into members (group_id, profile_id, display_name, role, joined_at, joined_seq, read_seq)
			values ($1, $2, coalesce((select display_name from people where profile_id = $2), $3), $4, $5, $6, $6)`,
			[groupId, profileId, displayName, role ?? "member", at, seq],
		);
		await notePerson(tx, groupId, profileId);
		await endRequest(tx, groupId, profileId);
	} else {
		await tx.query("delete from members where group_id = $1 and profile_id = $2", [groupId, profileId]);
	}
	if (action === "banned") {
		await writeBan(tx, groupId, { profileId, displayName, byId: event.by.profileId, at });
		await endRequest(tx, groupId, profileId);
		// They were no member: nobody is gone.
		if (role === undefined) return;
	}
	await tx.query("update groups set member_count = member_count + $2 where id = $1", [groupId, action === "joined" ? 1 : -1]);
}

/** Until when a member wants no notifications; false where they are no member. */
export async function writeMute(tx: Tx, groupId: string, profileId: string, until: string | null): Promise<boolean> {
	const rows = await tx.query("update members set muted_until = $3 where group_id = $1 and profile_id = $2 returning 1", [
		groupId,
		profileId,
		until,
	]);
	return rows.length > 0;
}

/** Moves a read mark forward, never back; answers where it stands. */
export async function markRead(db: Queryable, groupId: string, profileId: string, seq: number): Promise<number> {
	const [row] = await db.query<{ readSeq: number }>(
		`update members set read_seq = greatest(read_seq, $3) where group_id = $1 and profile_id = $2 returning read_seq as "readSeq"`,
		[groupId, profileId, seq],
		"mark-read",
	);
	return row?.readSeq ?? seq;
}

/** How far somebody has read in each of these groups; those they are not in are left out. */
export async function readMarksOf(db: Queryable, profileId: string, groupIds: readonly string[]): Promise<Map<string, number>> {
	const rows = await db.query<{ groupId: string; readSeq: number }>(
		`select group_id as "groupId", read_seq as "readSeq" from members where profile_id = $1 and group_id = any($2::uuid[])`,
		[profileId, groupIds],
		"read-marks",
	);
	return new Map(rows.map(({ groupId, readSeq }) => [groupId, readSeq]));
}
