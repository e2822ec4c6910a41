// A collection whose index cannot be made: the service tries again each second, with a client of its own each time. None of those
// may stay open, and the first try after the reason is gone is a good one.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { mongoCollection } from "../../mixins/mongo/collection.ts";
import { eventually } from "../support/eventually.ts";
import type { Server } from "../support/servers.ts";
import { mongoServer, needs } from "../support/servers.ts";

/** What is needed here of a driver that brings no types. */
interface Client {
	db(name?: string): {
		command(command: object): Promise<{ connections: { current: number; totalCreated: number } }>;
		collection(name: string): { insertMany(documents: object[]): Promise<unknown>; deleteOne(query: object): Promise<unknown> };
	};
	close(): Promise<void>;
}
interface Note {
	by: string;
}

describe("a collection whose index cannot be made", { skip: needs("mongod"), timeout: 60_000 }, () => {
	let server: Server;
	let client: Client;
	const broker = new ServiceBroker({ logger: false });
	before(async () => {
		server = await mongoServer();
		const driver = createRequire(import.meta.url)("mongodb") as { MongoClient: { connect(url: string, options: object): Promise<Client> } };
		client = await driver.MongoClient.connect(server.url, { useUnifiedTopology: true, retryWrites: false });
		await client
			.db()
			.collection("notes")
			.insertMany([{ by: "ana" }, { by: "ana" }]);
	});
	after(async () => {
		await broker.stop();
		await client?.close();
		await server?.stop();
	});

	test("leaves no client open, however often it is tried, and opens once it can be made", async () => {
		const connections = async () => (await client.db("admin").command({ serverStatus: 1 })).connections;
		const before = await connections();
		let opened = 0;
		const link = mongoCollection<Note>(broker, {
			url: server.url,
			service: "test.notes",
			collection: "notes",
			indexes: [{ keys: { by: 1 }, options: { name: "one_each", unique: true } }],
			opened: () => opened++,
		});
		// The start waits for the service, which waits for its collection.
		const started = broker.start();
		const tries = 20;
		await eventually(async () => assert.ok((await connections()).totalCreated >= before.totalCreated + tries), 40_000);
		const { current } = await connections();
		assert.ok(current - before.current <= tries / 2, `${current - before.current} of ${tries} connections are still open`);
		assert.equal(opened, 0);
		await client.db().collection("notes").deleteOne({ by: "ana" });
		await started;
		await link.insertAll([{ by: "ben" }]);
		await assert.rejects(link.insertAll([{ by: "ben" }]));
		assert.equal(opened, 1);
		// One client: a pool of ten, and what watches the server.
		await eventually(async () => assert.ok((await connections()).current - before.current <= 12));
	});
});
