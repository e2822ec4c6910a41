// The same through several gateways and owners, some of which are killed or freeze in the midst of it.
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { needs } from "../support/servers.ts";
import { talkers } from "../support/talkers.ts";
import { Cluster } from "./support/cluster.ts";

describe("messages through a cluster", { skip: needs("nats-server", "redis-server", "postgres"), timeout: 180_000 }, () => {
	let cluster: Cluster;
	before(async () => {
		cluster = await Cluster.start();
	});
	after(() => cluster?.stop());

	test("edits, deletions and reactions are heard once and in order, though owners and gateways die, freeze and come back", async () => {
		const url = (node: string, index: number) => cluster.one(node, index).url;
		await talkers({
			http: [url("api", 0), url("api", 1)],
			sockets: [url("socket", 0), url("socket", 1)],
			disconnects: 60,
			async faults() {
				for (const [node, index] of [
					["groups", 0],
					["socket", 1],
					["groups", 1],
					["socket", 0],
				] as const) {
					await pause(500);
					const member = cluster.one(node, index);
					await member.end("SIGKILL");
					await member.start();
				}
				const owner = cluster.one("groups", 0);
				owner.freeze();
				await pause(4_000);
				owner.thaw();
				await pause(1_000);
			},
		});
	});
});
