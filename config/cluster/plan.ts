// Which processes `npm run cluster` starts, and where each is heard.
import type { Env } from "../env.ts";
import { refusal } from "../refusal.ts";

export interface Planned {
	/** `api-1`, `api-2`, `identity-1` … */
	name: string;
	node: string;
	index: number;
	port: number;
}

/** Nodes that run twice: what is shared between copies is seen only where there are two. */
const COPIES: Readonly<Partial<Record<string, number>>> = { api: 2, socket: 2, groups: 2 };
const SOCKETS_AFTER = 10;
const OTHERS_AFTER = 20;

/** `socketPort`: SOCKET_PORT where it was given. */
export function planFor({ NODES, PORT }: Pick<Env, "NODES" | "PORT">, socketPort: number | undefined): Planned[] {
	const next = { api: PORT, socket: socketPort ?? PORT + SOCKETS_AFTER, other: PORT + OTHERS_AFTER };
	const plan = NODES.flatMap((node) =>
		Array.from({ length: COPIES[node] ?? 1 }, (_, at): Planned => {
			const row = node === "api" || node === "socket" ? node : "other";
			return { name: `${node}-${at + 1}`, node, index: at + 1, port: next[row]++ };
		}),
	);
	const taken = new Map<number, string>();
	for (const { name, port } of plan) {
		if (port > 65_535) throw refusal(`PORT is too high: ${name} would get port ${port}.`);
		const other = taken.get(port);
		if (other) throw refusal(`${other} and ${name} would both get port ${port}: set PORT and SOCKET_PORT further apart.`);
		taken.set(port, name);
	}
	return plan;
}
