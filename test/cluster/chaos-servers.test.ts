// NATS, Redis and PostgreSQL are restarted, killed, frozen and wiped under load.
import { after, before, describe, test } from "node:test";
import { needs } from "../support/servers.ts";
import { Cluster } from "./support/cluster.ts";
import type { Servers } from "./support/cluster.ts";
import { away, flush, freeze } from "./support/faults.ts";
import { holds } from "./support/guarantees.ts";
import { Trial } from "./support/trial.ts";

const DOWN_MS = 700;

describe("a cluster whose servers come and go", {
	skip: needs("nats-server", "redis-server", "postgres"),
	timeout: 300_000,
}, () => {
	let cluster: Cluster;
	let trial: Trial;
	before(async () => {
		cluster = await Cluster.start();
		trial = await Trial.on(cluster);
	});
	after(() => cluster?.stop());

	const cases: Record<string, (servers: Servers) => Promise<unknown>> = {
		"NATS stopped and started again": ({ nats }) => away(nats, DOWN_MS),
		"NATS killed": ({ nats }) => away(nats, DOWN_MS, "SIGKILL"),
		"NATS wiped: streams and consumers are gone": ({ nats }) => nats.wipe(),
		"NATS frozen": ({ nats }) => freeze(nats, 2_000),
		"Redis stopped and started again": ({ redis }) => away(redis, DOWN_MS),
		"Redis flushed": ({ redis }) => flush(redis),
		"Redis frozen": ({ redis }) => freeze(redis, 2_000),
		"PostgreSQL stopped and started again": ({ postgres }) => away(postgres, DOWN_MS),
		"PostgreSQL killed": ({ postgres }) => away(postgres, DOWN_MS, "SIGKILL"),
	};
	for (const [name, fault] of Object.entries(cases))
		test(`${name}, under load: nothing that was acknowledged is lost`, async () =>
			holds(trial, await trial.phase(name, () => fault(cluster.servers))));
});
