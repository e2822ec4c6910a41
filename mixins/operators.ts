// What a process shows its operators: the service `ops`, the same in every process. What there is to see belongs to the
// services that hold it; they show it here, so that it can be asked for without knowing who runs where.
import { hostname } from "node:os";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { problem } from "../services/contracts/errors.ts";
import type { ActorState, HeardRoom, OpenSocket } from "../services/contracts/operations.ts";
import { processHealth } from "./health.ts";
import { implement } from "./service.ts";
import { hearOperators } from "./operators-socket.ts";
import { perBroker } from "./per-broker.ts";
import { redisStatus } from "./redis/redis.ts";
import { settings } from "./settings.ts";

export interface Shown {
	/** Of a door: every socket, oldest first. Rows are made as they are asked for. */
	sockets: { count(): number; list(): Iterable<OpenSocket> };
	/** Of a door: the rooms that its sockets hear. */
	rooms: { count(): number; list(): Iterable<HeardRoom> };
	/** Of a node with actors. */
	actors: { count(): number; look(key: string): ActorState | null };
	/** Has the process leave, as SIGTERM does. */
	leave(): void;
}

const shown = perBroker((): Partial<Shown> => ({}));

/** Shows operators a part of this process; called by whoever holds it. */
export function showOperators(broker: ServiceBroker, parts: Partial<Shown>): void {
	Object.assign(shown(broker), parts);
}

/** What this process holds at present; 0 of what it has nothing to do with. */
export function holdings(broker: ServiceBroker): { sockets: number; rooms: number; actors: number } {
	const { sockets, rooms, actors } = shown(broker);
	return { sockets: sockets?.count() ?? 0, rooms: rooms?.count() ?? 0, actors: actors?.count() ?? 0 };
}

/** The answer of `ops.drain` goes out before the process begins to go (ms). */
const LAST_WORD_MS = 100;

/** The service of this process. Tools have none: they are not what operators look after. */
export function operatorsService(broker: ServiceBroker): ServiceSchema {
	const startedAt = new Date().toISOString();
	// Connects now, where nobody else does: the first probe must not take the beginning for trouble.
	redisStatus(broker);
	let unhear: (() => Promise<void>) | undefined;
	return {
		name: "ops",
		actions: implement("ops", {
			async process() {
				return {
					nodeId: broker.nodeID,
					nodes: settings(broker).NODES,
					pid: process.pid,
					host: hostname(),
					startedAt,
					memory: process.memoryUsage.rss(),
					...holdings(broker),
					health: await processHealth(broker),
				};
			},

			rooms({ params }) {
				const { rooms } = shown(broker);
				const all = [...(rooms?.list() ?? [])].sort((a, b) => b.sockets - a.sockets || (a.room < b.room ? -1 : 1));
				return { total: all.length, rooms: all.slice(0, params.limit) };
			},

			sockets({ params }) {
				const wanted = params.profileIds && new Set(params.profileIds);
				const sockets: OpenSocket[] = [];
				let total = 0;
				for (const socket of shown(broker).sockets?.list() ?? []) {
					if (wanted && !wanted.has(socket.profileId)) continue;
					if (++total <= params.limit) sockets.push(socket);
				}
				return { total, sockets };
			},

			actors: ({ params }) => ({ actor: shown(broker).actors?.look(params.groupId) ?? null }),

			drain() {
				const { leave } = shown(broker);
				if (!leave)
					throw problem("wrong-state", { detail: "This process was not started by config/start.ts: nobody can tell it to leave." });
				setTimeout(leave, LAST_WORD_MS);
				return { leaving: true };
			},
		}),

		async started() {
			// In a cluster operators come over NATS.
			if (settings(broker).NATS_URL) return;
			try {
				unhear = await hearOperators(broker);
			} catch (error) {
				broker.logger.warn("Operators' commands cannot ask this process: DATA_DIR does not take a socket.", { error: String(error) });
			}
		},

		stopped: () => unhear?.(),
	};
}
