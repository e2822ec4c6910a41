// Jobs: planned by name, with the payload that their handler takes, or it does not compile. Checked by tsc alone; nothing here runs.
import { jobsOf } from "../../mixins/jobs/index.ts";
import type { Db, Tx } from "../../mixins/postgres.ts";

const jobs = jobsOf("notes", {
	async expire({ noteId }: { noteId: string }, { at, broker, signal }) {
		const year: number = at.getFullYear();
		console.log(noteId.length, year, broker.nodeID, signal.aborted);
	},
	sweep: { every: "hourly", run: ({ at }) => console.log(at.getTime()) },
	ask: { lanes: 2, run: async ({ url }: { url: string }, { signal }) => console.log(url.length, signal.aborted) },
	report: { every: "30 4 * * 1", run: () => {} },
});

export const wrong = jobsOf("notes", {
	// @ts-expect-error neither a word for a time nor a crontab
	never: { every: "sometimes", run: () => {} },
});

export async function uses(tx: Tx, db: Db): Promise<void> {
	await jobs.plan(tx, "expire", { noteId: "a" });
	await jobs.plan(tx, "expire", { noteId: "a" }, { at: new Date(), key: "a" });
	await jobs.plan(tx, "ask", { url: "a" });
	await jobs.cancel(tx, "expire", "a");
	// @ts-expect-error there is no such job
	await jobs.plan(tx, "explode", { noteId: "a" });
	// @ts-expect-error the payload of another job
	await jobs.plan(tx, "expire", { noteId: 1 });
	// @ts-expect-error the payload is complete
	await jobs.plan(tx, "expire", {});
	// @ts-expect-error the payload of another job
	await jobs.plan(tx, "ask", { noteId: "a" });
	// @ts-expect-error a recurring job comes by itself
	await jobs.plan(tx, "sweep", {});
	// @ts-expect-error only in a transaction
	await jobs.plan(db, "expire", { noteId: "a" });
}
