// Members of groups, and who asks to be one.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Effect } from "../domain/decision.ts";
import type { EventOf } from "./events.ts";
import { notePerson } from "./persons.ts";

/** What an event makes of a member. */
export async function writeMember(tx: Tx, groupId: string, seq: number, event: EventOf<"member">): Promise<void> {
	if (event.action === "roleChanged") {
		await tx.query("update members set role = $3 where group_id = $1 and profile_id = $2", [groupId, event.profileId, event.role]);
		return;
	}
	if (event.action === "joined") {
		await tx.query(
			`insert into members (group_id, profile_id, display_name, role, joined_at, joined_seq, read_seq)
			values ($1, $2, coalesce((select display_name from people where profile_id = $2), $3), $4, $5, $6, $6)`,
			[groupId, event.profileId, event.displayName, event.role ?? "member", event.at, seq],
		);
		await notePerson(tx, groupId, event.profileId);
		await tx.query("delete from join_requests where group_id = $1 and profile_id = $2", [groupId, event.profileId]);
	} else {
		await tx.query("delete from members where group_id = $1 and profile_id = $2", [groupId, event.profileId]);
	}
	await tx.query("update groups set member_count = member_count + $2 where id = $1", [groupId, event.action === "joined" ? 1 : -1]);
}

export async function writeJoinRequest(tx: Tx, groupId: string, request: Extract<Effect, { kind: "requestJoin" }>): Promise<void> {
	await tx.query(
		"insert into join_requests (group_id, profile_id, display_name, requested_at) values ($1, $2, $3, $4) on conflict do nothing",
		[groupId, request.profileId, request.displayName, request.at],
	);
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
