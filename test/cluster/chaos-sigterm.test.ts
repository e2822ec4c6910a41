// A rolling update under load, ten rounds: one process of each node is replaced, the new one first, then SIGTERM to the old one.
// Nobody who asks over HTTP notices.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needs } from "../support/servers.ts";
import { Cluster } from "./support/cluster.ts";
import { holdsWithoutFailure } from "./support/guarantees.ts";
import { Trial } from "./support/trial.ts";

const ROUNDS = 10;

describe("a cluster that is updated while it works", { skip: needs("nats-server", "redis-server", "postgres"), timeout: 360_000 }, () => {
	let cluster: Cluster;
	let trial: Trial;
	before(async () => {
		cluster = await Cluster.start();
		trial = await Trial.on(cluster);
	});
	after(() => cluster?.stop());

	for (let round = 1; round <= ROUNDS; round++)
		test(`round ${round} of ${ROUNDS}: SIGTERM of each node fails no request`, async () => {
			const report = await trial.phase(`update ${round}`, async () => {
				const endings = await Promise.all(cluster.nodes.map((node) => cluster.replace(cluster.one(node))));
				assert.deepEqual(
					endings,
					cluster.nodes.map(() => 0),
					"a process did not end well",
				);
			});
			holdsWithoutFailure(trial, report);
		});
});
