// The rows of long work.
import type { Job } from "../../services/contracts/work.ts";
import type { Db, Queryable, Tx } from "../postgres.ts";

/** JSON as it is stored; what may be in it is the kind's business. */
export type Stored = NonNullable<Job["result"]>;

export interface WorkRow {
	id: string;
	kind: string;
	starter: string | null;
	ticket: Buffer | null;
	input: Stored;
	state: Job["state"];
	tries: number;
	done: number;
	total: number;
	result: Stored | null;
	error: { code: string; detail: string } | null;
	createdAt: string;
}

export interface NewWork {
	id: string;
	kind: string;
	once: string;
	starter: string | null;
	ticket: Buffer | null;
	input: Stored;
	total: number;
}

const columns = `id, kind, starter, ticket, input, state, tries, done, total, result, error, created_at as "createdAt"`;

/** The new one, or the one of its kind and `once` that is not ended. */
export async function insertWork(tx: Tx, work: NewWork, now: Date): Promise<{ row: WorkRow; isNew: boolean }> {
	const { id, kind, once, starter, ticket, input, total } = work;
	const [made] = await tx.query<WorkRow>(
		`insert into work (id, kind, once, starter, ticket, input, state, total, created_at)
		values ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8)
		on conflict (kind, once) where ended_at is null do nothing returning ${columns}`,
		[id, kind, once, starter, ticket, JSON.stringify(input), total, now],
	);
	if (made) return { row: made, isNew: true };
	const [row] = await tx.query<WorkRow>(`select ${columns} from work where kind = $1 and once = $2 and ended_at is null`, [kind, once]);
	// It ended between the two statements: the next try finds the place free.
	return row ? { row, isNew: false } : insertWork(tx, work, now);
}

export async function findWork(db: Queryable, id: string): Promise<WorkRow | undefined> {
	const [row] = await db.query<WorkRow>(`select ${columns} from work where id = $1`, [id]);
	return row;
}

export async function newestWork(db: Queryable, kind: string, starter: string): Promise<WorkRow | undefined> {
	const [row] = await db.query<WorkRow>(`select ${columns} from work where starter = $1 and kind = $2 order by id desc limit 1`, [
		starter,
		kind,
	]);
	return row;
}

/** How many of a kind somebody has started since. */
export async function countWork(db: Queryable, kind: string, starter: string, since: Date): Promise<number> {
	const [row] = await db.query<{ count: number }>(
		"select count(*)::int as count from work where starter = $1 and kind = $2 and created_at > $3",
		[starter, kind, since],
	);
	return row?.count ?? 0;
}

/** Begins it, or goes on with it after a crash; undefined where it has ended. Counts the try. */
export async function takeWork(db: Db, id: string): Promise<WorkRow | undefined> {
	const [row] = await db.query<WorkRow>(
		`update work set state = 'running', tries = tries + 1 where id = $1 and ended_at is null returning ${columns}`,
		[id],
	);
	return row;
}

export async function noteProgress(db: Queryable, id: string, done: number, total: number | undefined): Promise<void> {
	await db.query("update work set state = 'running', done = $2, total = coalesce($3, total) where id = $1 and ended_at is null", [
		id,
		done,
		total ?? null,
	]);
}

/** False where it has ended already. */
export async function endWork(
	db: Queryable,
	id: string,
	end: { result: Stored } | { error: { code: string; detail: string } },
	now: Date,
): Promise<boolean> {
	const [state, result, error] = "result" in end ? ["done", end.result, null] : ["failed", null, end.error];
	const ended = await db.query(
		`update work set state = $2, result = $3, error = $4, ended_at = $5, done = case when $2 = 'done' then total else done end
		where id = $1 and ended_at is null returning id`,
		[id, state, result === null ? null : JSON.stringify(result), error === null ? null : JSON.stringify(error), now],
	);
	return ended.length > 0;
}

/** The work of a kind under this name that is not ended; locked. */
export async function holdWork(tx: Tx, kind: string, once: string): Promise<WorkRow | undefined> {
	const [row] = await tx.query<WorkRow>(`select ${columns} from work where kind = $1 and once = $2 and ended_at is null for update`, [
		kind,
		once,
	]);
	return row;
}

/** What is noted of it between its steps. */
export async function noteResult(tx: Tx, id: string, result: Stored, done: number): Promise<void> {
	await tx.query("update work set state = 'running', result = $2, done = $3 where id = $1", [id, JSON.stringify(result), done]);
}

/**
 * The work of a person goes with them. What is under way and about others goes on to its end, as nobody's: whoever operates sees it.
 * @param own kinds that are about the person alone
 */
export async function forgetStarter(tx: Tx, starter: string, own: readonly string[]): Promise<void> {
	await tx.query("delete from work where starter = $1 and (ended_at is not null or kind = any($2::text[]))", [starter, own]);
	await tx.query("update work set starter = null where starter = $1", [starter]);
}

export async function sweepWork(db: Db, before: Date): Promise<void> {
	await db.query("delete from work where ended_at < $1", [before]);
}
