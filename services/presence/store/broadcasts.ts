// How far broadcasts have come.
import type { Db, Queryable, Tx } from "../../../mixins/postgres.ts";

export interface Course {
	/** The last profile that was told; null: nobody yet. */
	after: string | null;
	done: number;
	told: number;
}

/** Where it begins, or goes on. */
export async function beginBroadcast(db: Db, id: string): Promise<Course> {
	await db.query("insert into broadcasts (id, done, told) values ($1, 0, 0) on conflict do nothing", [id]);
	const [course] = await db.query<Course>("select after, done, told from broadcasts where id = $1", [id]);
	return course as Course;
}

export async function noteBroadcast(tx: Tx, id: string, after: string, done: number, told: number): Promise<void> {
	await tx.query(
		"update broadcasts set after = $2, done = done + $3, told = told + $4 where id = $1",
		[id, after, done, told],
		"broadcast-note",
	);
}

/** Those whose work is swept away. */
export async function forgetBroadcasts(db: Queryable): Promise<void> {
	await db.query("delete from broadcasts b where not exists (select 1 from work w where w.id = b.id)");
}
