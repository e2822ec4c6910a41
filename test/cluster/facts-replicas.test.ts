// Facts over three NATS servers that keep three copies: one after the other is killed under load.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ServiceBroker } from "moleculer";
import { connect } from "nats";
import { unsentCount } from "../../mixins/facts/outbox.ts";
import { database } from "../../mixins/postgres.ts";
import type { FreshDatabase } from "../support/database.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { HEARER, hearing, makeEffects, noted, startProcess, TELLER, tell, upTo } from "../support/facts.ts";
import type { Server } from "../support/servers.ts";
import { natsServer, needs, unusedPort } from "../support/servers.ts";

describe("facts over three servers", { skip: needs("nats-server") }, () => {
	let fresh: FreshDatabase;
	let servers: Server[] = [];
	let running: ServiceBroker[] = [];

	before(async () => {
		fresh = await testDatabase([TELLER, HEARER]);
		await makeEffects(database(HEARER));
		const ports = [await unusedPort(), await unusedPort(), await unusedPort()];
		const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(", ");
		servers = await Promise.all(
			ports.map((port, index) =>
				natsServer({ config: `server_name: n${index}\ncluster { name: facts, listen: "127.0.0.1:${port}", routes: [${routes}] }` }),
			),
		);
		const connection = await connect({ servers: servers.map(({ url }) => url) });
		// Three have to find each other and choose one before they keep anything.
		await eventually(async () => void (await (await connection.jetstreamManager()).getAccountInfo()), 30_000);
		await connection.close();
		const start = () => startProcess({ ears: hearing("ears") }, { natsUrls: servers.map(({ url }) => url) });
		running = await Promise.all([start(), start()]);
	});
	after(async () => {
		await Promise.all(running.map((broker) => broker.stop()));
		await Promise.all(servers.map((server) => server.stop()));
		await fresh?.close();
	});

	test("any one of them killed: nothing lost, nothing twice, in order", { timeout: 120_000 }, async () => {
		const groups = ["a", "b"];
		let told = 0;
		const hears = async (limitMs: number) => {
			for (const group of groups)
				await eventually(async () => {
					const heard = await noted("ears", group);
					assert.equal(heard.length, told);
					assert.deepEqual(heard, upTo(told));
				}, limitMs);
		};
		const tellSome = async () => {
			for (let n = 0; n < 100; n++) {
				for (const group of groups) await tell(group, told + 1);
				told++;
			}
		};
		await tellSome();
		await hears(30_000);
		for (const server of servers) {
			const telling = tellSome();
			await server.restart("SIGKILL");
			await telling;
			await hears(30_000);
		}
		await eventually(async () => assert.equal(await unsentCount(database(TELLER)), 0));
	});
});
