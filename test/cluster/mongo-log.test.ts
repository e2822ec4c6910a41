// The numbered log of a room on MongoDB: what it promises anywhere, and that it asks for no more than it needs.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { ada, append, event, events, logsOnMongo, plain } from "../support/log-house.ts";
import type { LogHouse } from "../support/log-house.ts";
import { logSuite } from "../support/log-suite.ts";
import { mongoServer, needs } from "../support/servers.ts";

interface Asked {
	op: string;
	planSummary?: string;
	docsExamined?: number;
}
/** The driver comes without types. */
interface Driver {
	MongoClient: { connect(url: string, options: object): Promise<Client> };
}
interface Client {
	db(): { command(command: object): Promise<object>; collection(name: string): { find(query: object): { toArray(): Promise<Asked[]> } } };
	close(): Promise<void>;
}
const { MongoClient } = createRequire(import.meta.url)("mongodb") as Driver;

const skip = needs("mongod");
if (skip) describe("the log on MongoDB", { skip }, () => {});
else {
	const server = await mongoServer();
	logSuite("MongoDB", () => logsOnMongo(server.url));

	describe("every question to MongoDB", () => {
		let house: LogHouse & { at: string };
		let client: Client;
		before(async () => {
			house = await logsOnMongo(server.url);
			client = await MongoClient.connect(house.at, { useUnifiedTopology: true });
		});
		after(async () => {
			await client.close();
			await house.close();
		});

		test("is answered by an index, however long the log is", async () => {
			const { carrier, reads } = await house.process();
			const room = randomUUID();
			for (let seq = 1; seq <= 5_000; seq += 500) await append(carrier, events(room, seq, seq + 499));
			await carrier.catchUp(room);
			await client.db().command({ profile: 2 });
			await carrier.page(room, 2_500, 50);
			await carrier.heads([room, randomUUID()]);
			await carrier.byClientId(room, ada, "client 4000");
			await reads.messagesFrom(room, ada, { before: 3_000 }, 20);
			await reads.findTarget(room, 4_000);
			await reads.countUnread(room, randomUUID(), 4_950);
			await carrier.append([{ ...plain(event(room, 5_001)), once: "a name" }]);
			await assert.rejects(carrier.append([{ ...plain(event(room, 5_002)), once: "a name" }]));
			await carrier.catchUp(room);
			await client.db().command({ profile: 0 });
			const asked = await client
				.db()
				.collection("system.profile")
				.find({ ns: /group_events$/ })
				.toArray();
			assert.ok(asked.length >= 10);
			for (const { op, planSummary, docsExamined = 0 } of asked)
				assert.ok(planSummary !== "COLLSCAN" && docsExamined <= 500, `${op} ${planSummary}: ${docsExamined} documents`);
		});
	});
}
