// `npm run bench -- <name> [rounds]`: runs one benchmark; without a name says which there are.
import { machine } from "./support/figures.ts";

const benchmarks: Record<string, { about: string; run: (rounds: number) => Promise<void> }> = {
	chat: {
		about: "messages into a room of 100 and into ten rooms of ten, against a bare Socket.IO server",
		run: async (rounds) => (await import("./chat.ts")).chat(rounds),
	},
	read: {
		about: "GET /api/groups/:id with 50 connections, against Fastify with the same check and select",
		run: async (rounds) => (await import("./read.ts")).read(rounds),
	},
	history: {
		about: "a page of messages at depth 100 and at depth 1,000,000 of one log",
		run: async (rounds) => (await import("./history.ts")).history(rounds),
	},
	facts: {
		about: "a fact from its commit to a socket, and how many a second: over NATS and in one process",
		run: async (rounds) => (await import("./facts.ts")).facts(rounds),
	},
	cluster: {
		about: "chat through two gateways and two groups nodes over NATS, against all nodes in one process",
		run: async (rounds) => (await import("./cluster.ts")).cluster(rounds),
	},
	storm: {
		about: "a gateway dies with thousands of sockets: until all are back and have missed nothing, and what that reads",
		run: async () => (await import("./storm.ts")).storm(),
	},
	idle: {
		about: "memory of a gateway for each of 10,000 sockets that say nothing",
		run: async () => (await import("./idle.ts")).idle(),
	},
	identity: {
		about: "logins beside a chat, refreshes, how soon a revocation is everywhere, and what verifying asks of identity",
		run: async (rounds) => (await import("./identity.ts")).identity(rounds),
	},
	community: {
		about: "what is promised where much is kept: a broadcast to 100,000 profiles, a join of a group of 100,000 (one part: BENCH_PART=join)",
		run: async (rounds) => (await import("./community.ts")).community(rounds),
	},
	start: {
		about: "time to ready on a new and on an old data directory, and resident memory",
		run: async (rounds) => (await import("./start.ts")).start(rounds),
	},
};

const ROUNDS = 5;

const [name, rounds = ROUNDS] = process.argv.slice(2);
const chosen = name === undefined || !Object.hasOwn(benchmarks, name) ? undefined : benchmarks[name];
if (chosen) {
	console.log(machine());
	await chosen.run(Math.max(1, Number(rounds)));
} else {
	if (name !== undefined) console.error(`There is no benchmark "${name}".`);
	console.log("npm run bench -- <name> [rounds], where <name> is one of:");
	for (const [each, { about }] of Object.entries(benchmarks)) console.log(`  ${each.padEnd(8)} ${about}`);
	process.exitCode = name === undefined ? 0 : 1;
}
