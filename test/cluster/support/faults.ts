// What is done to a cluster: one row per kind of fault. Tests do them in turn, `npm run chaos` at random.
import { setTimeout as pause } from "node:timers/promises";
import net from "node:net";
import type { Cluster, Member } from "./cluster.ts";
import type { Server } from "../../support/servers.ts";

/** kill -9, and started again as its operator's supervisor would after `downMs`. */
export async function kill(member: Member, downMs = 500): Promise<void> {
	await member.end("SIGKILL");
	await pause(downMs);
	await member.start();
}

/** Frozen and thawed: it goes on as if no time had passed, and must notice that others did its work meanwhile. */
export async function freeze(what: Member | Server, forMs: number): Promise<void> {
	if ("freeze" in what) what.freeze();
	else what.pause();
	await pause(forMs);
	if ("thaw" in what) what.thaw();
	else what.resume();
}

/** Away for a while, and back where it was. */
export async function away(what: Member | Server, forMs: number, signal?: NodeJS.Signals): Promise<void> {
	if ("end" in what) await what.end(signal ?? "SIGTERM");
	else await what.stop(signal);
	await pause(forMs);
	await what.start();
}

/** Redis forgets everything. */
export function flush(redis: Server): Promise<void> {
	return new Promise((resolve, reject) => {
		const socket = net.connect(redis.port, "127.0.0.1", () => socket.write("FLUSHALL\r\n"));
		socket.once("data", () => {
			socket.destroy();
			resolve();
		});
		socket.once("error", reject);
	});
}

const oneOf = <T>(values: readonly T[], random: () => number): T => values[Math.floor(random() * values.length)] as T;
const upTo = (ms: number, random: () => number): number => Math.floor(random() * ms);

export interface Fault {
	/** What it is done to: two faults at once are one of each, so that they do not get into each other's way. */
	to: "process" | "server";
	/** Sure to fail no HTTP request, since whoever does it gives notice. */
	graceful?: true;
	run(cluster: Cluster, random: () => number): Promise<unknown>;
}

/** What chaos chooses from. */
export const faults: Record<string, Fault> = {
	"kill -9 of a process": { to: "process", run: (cluster, random) => kill(oneOf(cluster.members, random), upTo(1_500, random)) },
	"kill -9 of two processes": {
		to: "process",
		run: async (cluster, random) => {
			const first = oneOf(cluster.members, random);
			const second = oneOf(
				cluster.members.filter((member) => member !== first),
				random,
			);
			await Promise.all([kill(first, upTo(1_500, random)), kill(second, upTo(1_500, random))]);
		},
	},
	"SIGTERM and a new process": { to: "process", graceful: true, run: (cluster, random) => cluster.replace(oneOf(cluster.members, random)) },
	"a frozen process": { to: "process", run: (cluster, random) => freeze(oneOf(cluster.members, random), upTo(8_000, random)) },
	"NATS restarted": {
		to: "server",
		run: ({ servers }, random) => away(servers.nats, upTo(1_500, random), oneOf(["SIGTERM", "SIGKILL"], random)),
	},
	"NATS wiped": { to: "server", run: ({ servers }) => servers.nats.wipe() },
	"NATS frozen": { to: "server", run: ({ servers }, random) => freeze(servers.nats, upTo(3_000, random)) },
	"Redis restarted": {
		to: "server",
		run: ({ servers }, random) => away(servers.redis, upTo(2_000, random), oneOf(["SIGTERM", "SIGKILL"], random)),
	},
	"Redis flushed": { to: "server", run: ({ servers }) => flush(servers.redis) },
	"Redis frozen": { to: "server", run: ({ servers }, random) => freeze(servers.redis, upTo(3_000, random)) },
	"PostgreSQL restarted": {
		to: "server",
		run: ({ servers }, random) => away(servers.postgres, upTo(1_500, random), oneOf(["SIGINT", "SIGQUIT", "SIGKILL"], random)),
	},
	"PostgreSQL frozen": { to: "server", run: ({ servers }, random) => freeze(servers.postgres, upTo(2_000, random)) },
	"MongoDB restarted": {
		to: "server",
		run: async ({ servers }, random) => servers.mongo && away(servers.mongo, upTo(1_500, random), oneOf(["SIGTERM", "SIGKILL"], random)),
	},
	"gamification away for a while": {
		to: "process",
		run: (cluster, random) => away(cluster.one("gamification"), 1_000 + upTo(4_000, random)),
	},
};
