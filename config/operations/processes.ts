// Operators' commands about living processes: what runs, what it carries, and telling one to leave.
import { inOrder } from "../../mixins/owners.ts";
import type { ActorState, OpenSocket, ProcessState } from "../../services/contracts/operations.ts";
import { ago, columns, megabytes } from "../columns.ts";
import type { Desk } from "../desk.ts";
import type { OpsAction, Reached } from "../processes.ts";
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

/** Asks all processes the same; those that do not answer are named by `silent`. */
async function askAll<T>(desk: Desk, ask: (process: Reached) => Promise<T>): Promise<{ answers: [string, T][]; silent: string[] }> {
	const silent: string[] = [];
	const refusals: unknown[] = [];
	const answers: [string, T][] = [];
	await Promise.all(
		desk.processes().map(async (process) => {
			try {
				answers.push([process.nodeId, await ask(process)]);
			} catch (error) {
				silent.push(process.nodeId);
				refusals.push(error);
			}
		}),
	);
	// What none of them takes is said, not told as silence.
	if (answers.length === 0 && refusals.length > 0) throw refusals[0];
	return { answers: answers.sort(([a], [b]) => (a < b ? -1 : 1)), silent: silent.sort() };
}

const silence = (silent: readonly string[]): string => (silent.length > 0 ? `\nNo answer from: ${silent.join(", ")}` : "");
const most = <A extends OpsAction>(_action: A, limit = 10_000): { limit: number } => ({ limit });

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

export const rooms = operation({
	usage: "rooms",
	summary: "The rooms that somebody hears, the fullest first, with their sockets in all processes.",
	args: [],
	needs: "processes",
	async run(desk) {
		const { answers, silent } = await askAll(desk, (process) => process.ask("ops.rooms", most("ops.rooms")));
		const byName = new Map<string, { room: string; sockets: number; processes: string[] }>();
		for (const [nodeId, answer] of answers) {
			for (const { room, sockets } of answer.rooms) {
				const row = byName.get(room) ?? { room, sockets: 0, processes: [] };
				row.sockets += sockets;
				row.processes.push(nodeId);
				byName.set(room, row);
			}
		}
		const sorted = [...byName.values()].sort((a, b) => b.sockets - a.sockets || (a.room < b.room ? -1 : 1));
		return { total: sorted.length, rooms: sorted, silent };
	},
	say: ({ total, rooms, silent }) =>
		(total === 0
			? "Nobody hears a room."
			: columns([["room", "sockets", "processes"], ...rooms.map((row) => [row.room, row.sockets, row.processes.join(" ")])])) +
		silence(silent),
});

export const sockets = operation({
	usage: "sockets",
	summary: "The open sockets: whose, from where, in how many rooms, and what waits to be sent to them.",
	args: [],
	needs: "processes",
	async run(desk) {
		const { answers, silent } = await askAll(desk, (process) => process.ask("ops.sockets", most("ops.sockets")));
		const all = answers.flatMap(([nodeId, { sockets }]) => sockets.map((socket) => ({ ...socket, nodeId })));
		return { total: answers.reduce((sum, [, { total }]) => sum + total, 0), sockets: all, silent };
	},
	say: ({ total, sockets, silent }) =>
		(total === 0
			? "No socket is open."
			: columns([
					["profile", "name", "address", "rooms", "waiting", "since", "process"],
					...sockets.map((socket) => [
						socket.profileId,
						socket.displayName,
						socket.address,
						socket.rooms,
						socket.backlog,
						ago(socket.connectedAt),
						socket.nodeId,
					]),
				])) + silence(silent),
});

/** The sockets of some profiles, in all processes. */
export async function socketsOf(desk: Desk, profileIds: string[]): Promise<(OpenSocket & { nodeId: string })[]> {
	const { answers } = await askAll(desk, (process) => process.ask("ops.sockets", { ...most("ops.sockets"), profileIds }));
	return answers.flatMap(([nodeId, { sockets }]) => sockets.map((socket) => ({ ...socket, nodeId })));
}

export const actors = operation({
	usage: "actors <group>",
	summary: "A group's actor: which process owns it, and which hold it in memory.",
	help: "<group> is the group's id. The owner is whom commands are sent to first; any other may take over, since the store is the fence.",
	args: ["group"],
	needs: "processes",
	async run(desk, [groupId = ""]) {
		const { answers, silent } = await askAll(desk, async (process) => {
			const { actor } = await process.ask("ops.actors", { groupId });
			return { actor, runs: (await process.ask("ops.process", {})).nodes.includes("groups") };
		});
		const able = answers.filter(([, { runs }]) => runs).map(([nodeId]) => nodeId);
		const held = answers.flatMap(([nodeId, { actor }]) => (actor ? [{ nodeId, ...actor }] : []));
		return { groupId, owner: inOrder(able, groupId)[0] ?? null, held, silent };
	},
	say: ({ groupId, owner, held, silent }) =>
		(owner === null ? "No process runs groups." : `${groupId} is owned by ${owner}.`) +
		(held.length === 0
			? " Nobody holds it in memory."
			: `\n${columns([["held by", "head", "waiting", "commit"], ...held.map((actor) => actorRow(actor))])}`) +
		silence(silent),
});

const actorRow = ({ nodeId, head, waiting, busy }: ActorState & { nodeId: string }): (string | number)[] => [
	nodeId,
	head ?? "not loaded",
	waiting,
	busy ? "under way" : "none",
];

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
