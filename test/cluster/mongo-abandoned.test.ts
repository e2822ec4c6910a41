// A transaction that nobody will end, as a process leaves it that is killed between two statements: it blocks nobody for long.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { endAbandoned } from "../../mixins/mongo/abandoned.ts";
import { eventually } from "../support/eventually.ts";
import type { Server } from "../support/servers.ts";
import { mongoServer, needs } from "../support/servers.ts";

/** What is needed here of a driver that brings no types. */
interface Session {
	startTransaction(): void;
	commitTransaction(): Promise<void>;
	endSession(): void;
}
interface Client {
	db(name?: string): {
		command(command: object): Promise<object>;
		collection(name: string): {
			insertOne(document: object, options?: object): Promise<unknown>;
			find(query: object): { toArray(): Promise<{ by: string }[]> };
			createIndex(keys: object, options: object): Promise<string>;
		};
	};
	startSession(): Session;
	close(): Promise<void>;
}

describe("a transaction that was left", { skip: needs("mongod"), timeout: 60_000 }, () => {
	let server: Server;
	let client: Client;
	before(async () => {
		server = await mongoServer();
		const driver = createRequire(import.meta.url)("mongodb") as { MongoClient: { connect(url: string, options: object): Promise<Client> } };
		client = await driver.MongoClient.connect(server.url, { useUnifiedTopology: true, retryWrites: false });
		await client.db().collection("events").createIndex({ room: 1, seq: 1 }, { unique: true });
	});
	after(() => client?.close());

	test("is ended by whoever it is in the way of, once it has done nothing for a second, and not before", async () => {
		const events = client.db().collection("events");
		const session = client.startSession();
		session.startTransaction();
		await events.insertOne({ room: "a", seq: 1, by: "who was killed" }, { session });
		assert.equal(await endAbandoned(client.db("admin")), 0);
		const waiting = events.insertOne({ room: "a", seq: 1, by: "the next owner" });
		assert.equal(await eventually(async () => (await endAbandoned(client.db("admin"))) || assert.fail("still there")), 1);
		await waiting;
		assert.deepEqual(
			(await events.find({ room: "a" }).toArray()).map(({ by }) => by),
			["the next owner"],
		);
		// Who comes back after all has lost it.
		await assert.rejects(session.commitTransaction());
		session.endSession();
	});
});
