// Operators' commands about jobs: what waits for its time, what was given up and why, and giving it another life.
import type { FailedJob, TaskState } from "../../mixins/jobs/state.ts";
import { failedJobs, jobsState, retryJobs } from "../../mixins/jobs/state.ts";
import { columns } from "../columns.ts";
import { nodesWithMigrations } from "../migrations.ts";
import { refusal } from "../refusal.ts";
import { ofEach, sum } from "./each.ts";
import { misused, operation } from "./row.ts";

interface Listed {
	/** By node and task; null where the database is down. */
	nodes: Record<string, Record<string, TaskState> | null>;
	failed: (FailedJob & { node: string })[];
}

async function retry(node?: string, id?: string): Promise<{ retried: number }> {
	if (node !== undefined && !nodesWithMigrations().includes(node)) throw refusal(`There is no node ${node} with a database.`);
	if (id !== undefined && !/^[1-9]\d{0,15}$/.test(id)) throw refusal("A job's id is a number.");
	const now = new Date();
	const answers = (
		await ofEach((db, name) => {
			const asked = node === undefined || node === name;
			return asked ? retryJobs(db, name, now, id === undefined ? undefined : Number(id)) : Promise.resolve(0);
		})
	).filter(([name]) => node === undefined || node === name);
	const counts = answers.flatMap(([, count]) => count ?? []);
	if (counts.length === 0) throw refusal("No database answers.");
	return { retried: sum(counts) };
}

async function list(): Promise<Listed> {
	const now = new Date();
	const found = await ofEach(async (db, node) => ({ state: await jobsState(db, node, now), failed: await failedJobs(db, node) }));
	return {
		nodes: Object.fromEntries(found.map(([node, read]) => [node, read?.state ?? null])),
		failed: found.flatMap(([node, read]) => (read?.failed ?? []).map((job) => ({ node, ...job }))),
	};
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").slice(0, 100);

export const jobs = operation({
	usage: "jobs [retry [node [id]]]",
	summary: "What waits for its time, by task, and what was given up; with `retry` that gets another life.",
	help: "due jobs wait for a process that runs the node. Failed ones had all their tries; --json shows the whole cause.",
	args: ["retry?", "node?", "id?"],
	needs: "data",
	async run(_desk, [word, node, id]): Promise<{ retried: number } | Listed> {
		if (word === "retry") return retry(node, id);
		if (word !== undefined) throw misused();
		return list();
	},
	say(answer) {
		if ("retried" in answer) return `${answer.retried} job${answer.retried === 1 ? "" : "s"} will be tried again.`;
		const rows = Object.entries(answer.nodes).flatMap(([node, tasks]): (string | number)[][] =>
			tasks
				? Object.entries(tasks).map(([task, { waiting, due, running, failed }]) => [node, task, waiting, due, running, failed])
				: [[node, "database down", "", "", "", ""]],
		);
		if (rows.length === 0) return "There are no jobs.";
		const failed = answer.failed.map((job) => [job.node, job.id, job.task, job.key, job.tries, firstLine(job.cause)]);
		return [
			columns([["node", "task", "waiting", "due", "running", "failed"], ...rows]),
			...(failed.length > 0 ? ["", columns([["node", "id", "task", "key", "tries", "cause"], ...failed])] : []),
		].join("\n");
	},
});
