// `npm run bench -- <name>`: runs one benchmark; without a name says which there are.
import { machine } from "./support/figures.ts";

const benchmarks: Record<string, { about: string; run: () => Promise<void> }> = {
	chat: {
		about: "messages into a room of 100 and into ten rooms of ten, against a bare Socket.IO server",
		run: async () => (await import("./chat.ts")).chat(),
	},
	read: {
		about: "GET /api/groups/:id with 50 connections, against Fastify with the same check and select",
		run: async () => (await import("./read.ts")).read(),
	},
	history: {
		about: "a page of messages at depth 100 and at depth 1,000,000 of one log",
		run: async () => (await import("./history.ts")).history(),
	},
	start: {
		about: "time to ready on a new and on an old data directory, and resident memory",
		run: async () => (await import("./start.ts")).start(),
	},
};

const name = process.argv[2];
const chosen = name === undefined || !Object.hasOwn(benchmarks, name) ? undefined : benchmarks[name];
if (chosen) {
	console.log(machine());
	await chosen.run();
} else {
	if (name !== undefined) console.error(`There is no benchmark "${name}".`);
	console.log("npm run bench -- <name>, where <name> is one of:");
	for (const [each, { about }] of Object.entries(benchmarks)) console.log(`  ${each.padEnd(8)} ${about}`);
	process.exitCode = name === undefined ? 0 : 1;
}
