// Operators' commands about living processes: what runs, and telling one to leave.
import type { ProcessState } from "../../services/contracts/operations.ts";
import { ago, columns, megabytes } from "../columns.ts";
import type { Desk } from "../desk.ts";
import { refusal } from "../refusal.ts";
import { operation } from "./row.ts";

const NONE = "No process of this Reloop answers.";

export interface ListedProcess {
	nodeId: string;
	/** What `npm run cluster` calls it. */
	name?: string;
	/** Null for one that did not answer. */
	state: ProcessState | null;
}

/** Every living process and how it is. */
export function listProcesses(desk: Desk): Promise<ListedProcess[]> {
	return Promise.all(
		desk.processes().map(async ({ nodeId, ask }) => {
			const state = await ask("ops.process", {}).catch(() => null);
			const name = desk.names.get(state?.pid ?? 0);
			return { nodeId, ...(name ? { name } : {}), state };
		}),
	);
}

export const nodes = operation({
	usage: "nodes",
	summary: "The living processes: what each runs and carries, and how it is.",
	help: "sockets, rooms and actors are those of that process: open sockets, rooms that one of them hears, actors in its memory.",
	args: [],
	needs: "processes",
	run: listProcesses,
	say: (processes) =>
		processes.length === 0
			? NONE
			: columns([
					["process", "nodes", "pid", "up", "memory", "sockets", "rooms", "actors", "status"],
					...processes.map(({ nodeId, name, state }) =>
						state
							? [
									nodeId,
									name ?? state.nodes.join(","),
									state.pid,
									ago(state.startedAt),
									megabytes(state.memory),
									state.sockets,
									state.rooms,
									state.actors,
									saysWhy(state),
								]
							: [nodeId, "", "", "", "", "", "", "", "silent"],
					),
				]),
});

/** The status, and what it is for. */
function saysWhy({ health }: ProcessState): string {
	const bad = Object.entries(health.checks ?? {}).filter(([, check]) => check.status !== "ok");
	return bad.length === 0 ? health.status : `${health.status} (${bad.map(([name]) => name).join(", ")})`;
}

export const drain = operation({
	usage: "drain <node>",
	summary: "Tell one process to leave: not ready, its sockets told to move, work ended, then its exit.",
	help:
		"<node> is a process as `nodes` names it, or the beginning of that name; or a node, where one process runs it. " +
		"It does what SIGTERM does. Whoever looks after the process (npm run cluster, Kubernetes) starts another one.",
	args: ["node"],
	needs: "processes",
	async run(desk, [wanted = ""]) {
		const all = await listProcesses(desk);
		const exact = all.filter(({ nodeId, name }) => nodeId === wanted || name === wanted);
		const byName = all.filter(({ nodeId }) => nodeId.startsWith(wanted));
		const byNode = all.filter(({ state }) => state?.nodes.includes(wanted));
		const [found = []] = [exact, byNode, byName].filter((list) => list.length > 0);
		const [one, ...others] = found;
		if (!one) throw refusal(all.length === 0 ? NONE : `There is no process ${wanted}. See: nodes`);
		if (others.length > 0) throw refusal(`${wanted} may be any of ${found.map(({ nodeId }) => nodeId).join(", ")}: name one of them.`);
		const process = desk.processes().find(({ nodeId }) => nodeId === one.nodeId);
		await process?.ask("ops.drain", {});
		return { nodeId: one.nodeId, pid: one.state?.pid ?? null, leaving: true };
	},
	say: ({ nodeId, pid }) => `${nodeId}${pid === null ? "" : ` (process ${pid})`} is leaving.`,
});
