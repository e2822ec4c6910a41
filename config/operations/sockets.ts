// Operators' commands about what the doors carry: rooms that are heard, sockets that are open.
import type { OpenSocket } from "../../services/contracts/operations.ts";
import { ago, columns } from "../columns.ts";
import type { Desk } from "../desk.ts";
import { askAll, most, silence } from "./ask-all.ts";
import { operation } from "./row.ts";

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
