// Reports of messages.
import type { Exported } from "../../../mixins/person/index.ts";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import { DELETED } from "../../contracts/persons.ts";
import type { FlagState } from "../../contracts/flags.ts";

export interface FlagRow {
	id: string;
	groupId: string;
	groupName: string;
	seq: number;
	reporterId: string;
	reason: string;
	state: FlagState;
	createdAt: string;
	settledBy: string | null;
	settledAt: string | null;
	note: string | null;
}

const columns = `f.id, f.group_id as "groupId", g.name as "groupName", f.seq, f.reporter_id as "reporterId", f.reason, f.state,
	f.created_at as "createdAt", f.settled_by as "settledBy", f.settled_at as "settledAt", f.note`;
const from = "from flags f join groups g on g.id = f.group_id";

type NewFlag = Pick<FlagRow, "id" | "groupId" | "seq" | "reporterId" | "reason" | "createdAt">;

/** The id of the report that this person has made of the message before, where there is one: then nothing is written. */
export async function addFlag(tx: Tx, flag: NewFlag): Promise<string | undefined> {
	const { id, groupId, seq, reporterId, reason, createdAt } = flag;
	const made = await tx.query(
		`insert into flags (id, group_id, seq, reporter_id, reason, state, created_at) values ($1, $2, $3, $4, $5, 'open', $6)
		on conflict (group_id, seq, reporter_id) do nothing returning 1`,
		[id, groupId, seq, reporterId, reason, createdAt],
	);
	if (made.length > 0) return undefined;
	const [known] = await tx.query<{ id: string }>("select id from flags where group_id = $1 and seq = $2 and reporter_id = $3", [
		groupId,
		seq,
		reporterId,
	]);
	return known?.id;
}

/** Reports in a state, newest first; of one group, or of all. */
export function flagsIn(db: Queryable, groupId: string | null, state: FlagState, before: string | null, limit: number): Promise<FlagRow[]> {
	return db.query<FlagRow>(
		`select ${columns} ${from} where f.state = $2 and ($3::uuid is null or f.id < $3) ${groupId === null ? "and $1::uuid is null" : "and f.group_id = $1"}
		order by f.id desc limit $4`,
		[groupId, state, before, limit],
	);
}

export async function findFlag(db: Queryable, id: string): Promise<FlagRow | undefined> {
	const [row] = await db.query<FlagRow>(`select ${columns} ${from} where f.id = $1`, [id]);
	return row;
}

/** False where it was settled before. */
export async function settleFlag(
	tx: Tx,
	id: string,
	{ state, byId, at, note }: { state: FlagState; byId: string; at: string; note: string | null },
): Promise<boolean> {
	const rows = await tx.query(
		"update flags set state = $2, settled_by = $3, settled_at = $4, note = $5 where id = $1 and state = 'open' returning 1",
		[id, state, byId, at, note],
	);
	return rows.length > 0;
}

/** What somebody has reported. */
export const flagsOf = (db: Queryable, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> =>
	db.query<Exported>(
		`select id::text as key, group_id as "groupId", seq, reason, state, created_at as "createdAt", settled_at as "settledAt"
		from flags where reporter_id = any($1::uuid[]) and ($2::uuid is null or id > $2) order by id limit $3`,
		[profileIds, after, limit],
	);

/** Reports stay, each somebody else's that nobody is; so do decisions, as nobody's. */
export async function forgetFlags(tx: Tx, profileIds: readonly string[]): Promise<void> {
	await tx.query("update flags set reporter_id = gen_random_uuid() where reporter_id = any($1::uuid[])", [profileIds]);
	await tx.query("update flags set settled_by = $2 where settled_by = any($1::uuid[])", [profileIds, DELETED.profileId]);
}
