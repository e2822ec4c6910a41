// kill -9 of each node in turn, a consumer that is down for a while, and a gateway that dies with 500 sockets on it; all under load.
import { after, before, describe, test } from "node:test";
import { needs } from "../support/servers.ts";
import { Cluster, WHOLE } from "./support/cluster.ts";
import { away, kill } from "./support/faults.ts";
import { holds } from "./support/guarantees.ts";
import { Trial } from "./support/trial.ts";

describe("a cluster whose processes die", { skip: needs("nats-server", "redis-server", "postgres"), timeout: 240_000 }, () => {
	let cluster: Cluster;
	let trial: Trial;
	before(async () => {
		cluster = await Cluster.start();
		trial = await Trial.on(cluster);
	});
	after(() => cluster?.stop());

	for (const node of Object.keys(WHOLE))
		test(`kill -9 of ${node} under load loses nothing that was acknowledged`, async () =>
			holds(trial, await trial.phase(`kill ${node}`, () => kill(cluster.one(node)))));

	test("a consumer that is down for a while handles every fact once when it is back", async () =>
		holds(trial, await trial.phase("gamification away", () => away(cluster.one("gamification"), 3_000))));

	test("a gateway that dies with 500 sockets on it: all are on the other one, and have missed nothing", async () =>
		holds(trial, await trial.phase("kill the gateway of 500", () => kill(cluster.one("socket")), { crowd: 500, breathMs: 250 })));
});
