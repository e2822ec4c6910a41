// The SQL of a node's jobs: what graphile-worker's functions are asked, and what it does not do by itself.
import pg from "pg";
import type { Db, Queryable, Tx } from "../postgres.ts";

/** The schema of a node's jobs, fit for SQL. */
export const schemaOf = (node: string): string => pg.escapeIdentifier(`${node}_jobs`);

export interface NewJob {
	task: string;
	/** Every job has one here: one without was replaced or cancelled while it ran. */
	key: string;
	payload: unknown;
	at: Date;
	tries: number;
}

/** Two tasks may use the same key. */
const fullKey = (task: string, key: string): string => `${task}:${key}`;

/** Adds a job. `keep` leaves one that is there under this key as it is, instead of replacing it. */
async function add(db: Queryable, node: string, job: NewJob, keep: boolean): Promise<boolean> {
	const [added] = await db.query<{ id: number | null }>(
		`select id from ${schemaOf(node)}.add_job(
			identifier => $1, payload => $2::json, run_at => $3, max_attempts => $4, job_key => $5, job_key_mode => $6
		)`,
		[job.task, JSON.stringify(job.payload), job.at, job.tries, fullKey(job.task, job.key), keep ? "unsafe_dedupe" : "replace"],
		"job-add",
	);
	return added?.id != null;
}

export async function planJob(tx: Tx, node: string, job: NewJob): Promise<void> {
	// It adds nothing when a worker takes the old job between its two statements; asked again, it sees that it runs.
	for (let asked = 0; asked < 3; asked++) if (await add(tx, node, job, false)) return;
	throw new Error(`The job ${job.task} could not be planned.`);
}

/** Plans a job unless one is there under its key. */
export async function planOnce(db: Db, node: string, job: NewJob): Promise<void> {
	await add(db, node, job, true);
}

/** Each under a key of its own. */
export async function planJobs(tx: Tx, node: string, jobs: readonly NewJob[]): Promise<void> {
	const [first] = jobs;
	if (!first) return;
	const rows = await tx.query<{ key: string }>(
		`select key from ${schemaOf(node)}.add_jobs(array(
			select row(task, payload, null, at, tries, key, null, null)::${schemaOf(node)}.job_spec
			from json_to_recordset($1::json) as j(task text, key text, payload json, at timestamptz, tries smallint)
		))`,
		[JSON.stringify(jobs.map((job) => ({ ...job, key: fullKey(job.task, job.key) })))],
		"jobs-add",
	);
	const planned = new Set(rows.map(({ key }) => key));
	// Those that a worker took in the middle of it (see planJob).
	for (const job of jobs) if (!planned.has(fullKey(job.task, job.key))) await planJob(tx, node, job);
}

export async function cancelJobs(tx: Tx, node: string, task: string, keys: readonly string[]): Promise<void> {
	if (keys.length === 0) return;
	await tx.query(
		`select removed.id from unnest($1::text[]) as k(key), lateral ${schemaOf(node)}.remove_job(k.key) as removed`,
		[keys.map((key) => fullKey(task, key))],
		"jobs-remove",
	);
}

/** A job that a process holds, as it was last noted: changes as long as that process lives. */
export interface Held {
	id: number;
	mark: string;
}

/**
 * Notes that the jobs `mine` (ids) of `workers` are being worked on, and answers those that nobody here works on. The database's clock makes
 * the marks, and no clock reads them.
 */
export function noteHeld(db: Db, node: string, workers: readonly string[], mine: readonly string[]): Promise<Held[]> {
	return db.query<Held>(
		`with noted as (
			update ${schemaOf(node)}._private_jobs set locked_at = clock_timestamp() where id = any($2::bigint[]) and locked_by = any($1::text[])
		)
		select id, locked_by || ' ' || locked_at::text as mark
		from ${schemaOf(node)}._private_jobs where locked_at is not null and not (locked_by = any($1::text[]) and id = any($2::bigint[]))`,
		[workers, mine],
		"jobs-note",
	);
}

const LEFT = "Its process ended in the middle of it.";

/** Frees jobs that nobody works on any more, unless somebody has noted since that he does. Answers how many. */
export async function freeHeld(db: Db, node: string, left: readonly Held[]): Promise<number> {
	const rows = await db.query(
		`update ${schemaOf(node)}._private_jobs as jobs set locked_at = null, locked_by = null, last_error = $3
		from unnest($1::bigint[], $2::text[]) as held (id, mark)
		where jobs.id = held.id and jobs.locked_by || ' ' || jobs.locked_at::text = held.mark returning jobs.id`,
		[left.map(({ id }) => id), left.map(({ mark }) => mark), LEFT],
	);
	await forgetReplaced(db, node);
	return rows.length;
}

/** Jobs that were replaced or cancelled while they ran, and then failed, are of no interest to anybody. */
export async function forgetReplaced(db: Db, node: string): Promise<void> {
	await db.query(`delete from ${schemaOf(node)}._private_jobs where key is null and locked_at is null`);
}
