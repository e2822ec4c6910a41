// Two owners of one group at once: a process is frozen, another takes over what it owned, and it wakes up as if no time had passed.
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { needs } from "../support/servers.ts";
import { Cluster } from "./support/cluster.ts";
import { holds } from "./support/guarantees.ts";
import { Trial } from "./support/trial.ts";

describe("two owners of one group", { skip: needs("nats-server", "redis-server", "postgres"), timeout: 120_000 }, () => {
	let cluster: Cluster;
	let trial: Trial;
	before(async () => {
		cluster = await Cluster.start();
		trial = await Trial.on(cluster);
	});
	after(() => cluster?.stop());

	for (const index of [0, 1])
		test(`the owner that was frozen while process ${1 - index} took over cannot write over what was written since`, async () => {
			const report = await trial.phase("two owners", async ({ servedAgain }) => {
				const owner = cluster.one("groups", index);
				owner.freeze();
				try {
					// The other one has all groups now, also those of the frozen one, and has written to them.
					await servedAgain();
					await servedAgain();
				} finally {
					owner.thaw();
				}
			});
			holds(trial, report);
		});

	test("an owner that is frozen again and again for moments shorter than it takes to be missed", async () => {
		const report = await trial.phase("stutter", async () => {
			for (let round = 0; round < 10; round++) {
				const owner = cluster.one("groups", round % 2);
				owner.freeze();
				await pause(300);
				owner.thaw();
				await pause(100);
			}
		});
		holds(trial, report);
	});
});
