// The message log on MongoDB: it is restarted, killed and frozen under load, so is PostgreSQL, which keeps all else, and so is who
// writes to both, between the one and the other.
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Server } from "../support/servers.ts";
import { needs } from "../support/servers.ts";
import { Cluster } from "./support/cluster.ts";
import { away, freeze, kill } from "./support/faults.ts";
import { holds } from "./support/guarantees.ts";
import { Trial } from "./support/trial.ts";

const DOWN_MS = 700;

describe("a cluster whose messages are in MongoDB", {
	skip: needs("nats-server", "redis-server", "postgres", "mongod"),
	timeout: 180_000,
}, () => {
	let cluster: Cluster;
	let trial: Trial;
	before(async () => {
		cluster = await Cluster.start({ mongo: true });
		trial = await Trial.on(cluster);
	});
	after(() => cluster?.stop());

	const mongo = () => cluster.servers.mongo as Server;
	const cases: Record<string, () => Promise<unknown>> = {
		"PostgreSQL killed": () => away(cluster.servers.postgres, DOWN_MS, "SIGKILL"),
		"MongoDB stopped and started again": () => away(mongo(), DOWN_MS),
		"MongoDB killed": () => away(mongo(), DOWN_MS, "SIGKILL"),
		"MongoDB frozen": () => freeze(mongo(), 2_000),
		"a groups node killed": () => kill(cluster.one("groups")),
		"both groups nodes killed, three times": async () => {
			for (let time = 0; time < 3; time++) {
				// Between the two statements of a transaction, with luck: it is left open then.
				await pause(300 + Math.random() * 300);
				await Promise.all(cluster.of("groups").map((member) => kill(member)));
			}
		},
		"a groups node frozen until the other has taken over": () => freeze(cluster.one("groups", 1), 6_000),
	};
	for (const [name, fault] of Object.entries(cases))
		test(`${name}, under load: nothing that was acknowledged is lost`, async () =>
			holds(trial, await trial.phase(name, fault, name.startsWith("both") ? { breathMs: 0 } : {})));
});
