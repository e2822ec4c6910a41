// What operators see of a node's jobs, and giving those that were given up another life.
import type { Db } from "../postgres.ts";
import { schemaOf } from "./queue.ts";

export interface TaskState {
	/** Their time has not come. */
	waiting: number;
	/** Their time has come. */
	due: number;
	running: number;
	/** Given up. */
	failed: number;
}

export interface FailedJob {
	/** Unique in its node. */
	id: number;
	task: string;
	/** As it was planned; one that was planned without a key has a random one. */
	key: string;
	tries: number;
	plannedAt: string;
	cause: string;
}

async function hasJobs(db: Db, node: string): Promise<boolean> {
	const [row] = await db.query<{ there: boolean }>("select to_regclass($1) is not null as there", [`${schemaOf(node)}.jobs`]);
	return row?.there ?? false;
}

const isFailed = "attempts >= max_attempts and locked_at is null and key is not null";

/** Every task with jobs; empty for a node that has none. Two statements. */
export async function jobsState(db: Db, node: string, now: Date): Promise<Record<string, TaskState>> {
	if (!(await hasJobs(db, node))) return {};
	const rows = await db.query<TaskState & { task: string }>(
		`select task_identifier as task,
			count(*) filter (where locked_at is null and attempts < max_attempts and run_at > $1)::int as waiting,
			count(*) filter (where locked_at is null and attempts < max_attempts and run_at <= $1)::int as due,
			count(locked_at)::int as running,
			count(*) filter (where ${isFailed})::int as failed
		from ${schemaOf(node)}.jobs where key is not null or locked_at is not null group by 1 order by 1`,
		[now],
	);
	return Object.fromEntries(rows.map(({ task, ...state }) => [task, state]));
}

/** Jobs that were given up, oldest first, with their cause. */
export async function failedJobs(db: Db, node: string): Promise<FailedJob[]> {
	if (!(await hasJobs(db, node))) return [];
	return db.query<FailedJob>(
		`select id, task_identifier as task, substr(key, length(task_identifier) + 2) as key, attempts as tries, created_at as "plannedAt",
			coalesce(last_error, '') as cause
		from ${schemaOf(node)}.jobs where ${isFailed} order by id`,
	);
}

/** Gives failed jobs all their tries again, all of them or one, at once. Answers how many. */
export async function retryJobs(db: Db, node: string, now: Date, id?: number): Promise<number> {
	if (!(await hasJobs(db, node))) return 0;
	const rows = await db.query(
		`select from ${schemaOf(node)}.reschedule_jobs(
			array(select id from ${schemaOf(node)}.jobs where ${isFailed} and ($1::bigint is null or id = $1)), run_at => $2, attempts => 0
		)`,
		[id ?? null, now],
	);
	return rows.length;
}
