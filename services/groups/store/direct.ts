// Two people alone: their direct talk, and whether one has blocked the other.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Caller } from "../domain/group.ts";

const inOrder = (one: string, other: string): [low: string, high: string] => (one < other ? [one, other] : [other, one]);

/** The group of two profiles' talk; undefined where they have none yet. */
export async function pairOf(db: Queryable, one: string, other: string): Promise<string | undefined> {
	const [row] = await db.query<{ groupId: string }>(
		`select group_id as "groupId" from direct_pairs where low = $1 and high = $2`,
		inOrder(one, other),
		"direct-pair",
	);
	return row?.groupId;
}

/** Names the group of two profiles' talk, unless it has a name: whoever comes second gets the first's. */
export async function namePair(db: Queryable, one: string, other: string, groupId: string): Promise<string> {
	await db.query("insert into direct_pairs (low, high, group_id) values ($1, $2, $3) on conflict do nothing", [
		...inOrder(one, other),
		groupId,
	]);
	const named = await pairOf(db, one, other);
	if (named === undefined) throw new Error("A pair was named, and is not there.");
	return named;
}

export async function isApart(db: Queryable, one: string, other: string): Promise<boolean> {
	const rows = await db.query(
		"select 1 from blocks where (profile_id = $1 and blocked_id = $2) or (profile_id = $2 and blocked_id = $1) limit 1",
		[one, other],
		"is-apart",
	);
	return rows.length > 0;
}

/** When it was blocked, and whether that is news. */
export async function block(
	tx: Tx,
	profileId: string,
	{ profileId: blockedId, displayName }: Caller,
	at: string,
): Promise<{ blockedAt: string; isNew: boolean }> {
	const made = await tx.query(
		`insert into blocks (profile_id, blocked_id, display_name, blocked_at) values ($1, $2, $3, $4) on conflict do nothing returning 1`,
		[profileId, blockedId, displayName, at],
	);
	const [row] = await tx.query<{ blockedAt: string }>(
		`select blocked_at as "blockedAt" from blocks where profile_id = $1 and blocked_id = $2`,
		[profileId, blockedId],
	);
	return { blockedAt: row?.blockedAt ?? at, isNew: made.length > 0 };
}

/** False where there was no block. */
export async function unblock(tx: Tx, profileId: string, blockedId: string): Promise<boolean> {
	const rows = await tx.query("delete from blocks where profile_id = $1 and blocked_id = $2 returning 1", [profileId, blockedId]);
	return rows.length > 0;
}

/** Whom a profile blocks, newest first, before a place in that order. */
export function blocksBefore(db: Queryable, profileId: string, at: string | null, blockedId: string | null, limit: number) {
	return db.query<Caller & { blockedAt: string }>(
		`select blocked_id as "profileId", display_name as "displayName", blocked_at as "blockedAt" from blocks
		where profile_id = $1 and ($3::uuid is null or (blocked_at, blocked_id) < ($2::timestamptz, $3::uuid))
		order by blocked_at desc, blocked_id desc limit $4`,
		[profileId, at, blockedId, limit],
	);
}

/** Of each of these profiles, from whom it is apart; of those who have blocked or were blocked. */
export async function apartFrom(db: Queryable, profileIds: readonly string[]): Promise<Map<string, string[]>> {
	const rows = await db.query<{ id: string; others: string[] }>(
		`select id, array_agg(distinct other) as others from (
			select profile_id as id, blocked_id as other from blocks where profile_id = any($1::uuid[])
			union all select blocked_id, profile_id from blocks where blocked_id = any($1::uuid[])
		) as apart group by id`,
		[profileIds],
		"apart-from",
	);
	return new Map(rows.map(({ id, others }) => [id, others.slice(0, MOST_APART)]));
}
/** From so many one can be apart. */
export const MOST_APART = 10_000;

export async function countBlocks(tx: Tx, profileId: string): Promise<number> {
	const [row] = await tx.query<{ blocks: number }>("select count(*)::int as blocks from blocks where profile_id = $1", [profileId]);
	return row?.blocks ?? 0;
}
