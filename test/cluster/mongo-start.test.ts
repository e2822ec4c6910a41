// What a start says about MONGO_URL: one sentence about what is wrong for good, patience with what may only be late.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { checkMongo } from "../../mixins/mongo/check.ts";
import { refuseOtherStore } from "../../mixins/mongo/log.ts";
import { append, event, logsOnMongo, logsOnPostgres } from "../support/log-house.ts";
import type { Server } from "../support/servers.ts";
import { mongoServer, needs } from "../support/servers.ts";

const sentence = (text: RegExp) => (error: Error & { sentence?: true }) => error.sentence === true && text.test(error.message);

describe("MONGO_URL at the start", { skip: needs("mongod") }, () => {
	let server: Server;
	before(async () => {
		server = await mongoServer();
	});
	after(() => server.stop());

	const said: string[] = [];
	const check = (MONGO_URL: string, patienceMs = 0) => checkMongo({ MONGO_URL }, patienceMs, (text) => void said.push(text));

	test("is fine where a replica set of one member answers", () => check(server.url));

	test("a login that is refused is said at once, however much patience there is, and without the password", async () => {
		await assert.rejects(check(server.url.replace("//", "//ada:secret@"), 60_000), (error: Error) => {
			assert.doesNotMatch(error.message, /secret/);
			return sentence(/^MONGO_URL: the server refuses this login\.$/)(error);
		});
	});

	test("so is what is no URL for the driver", () =>
		assert.rejects(
			check(`${server.url}&authMechanism=NONE`, 60_000),
			sentence(/^MONGO_URL: this is no URL that the driver understands\.$/),
		));

	test("a server that nobody reaches is waited for, and then named", () =>
		assert.rejects(check("mongodb://127.0.0.1:9/reloop?replicaSet=rs0"), sentence(/^MONGO_URL: no server answers\./)));

	test("a server that comes later is waited for, which is said once", async () => {
		await server.stop();
		said.length = 0;
		const checked = check(server.url, 30_000);
		await server.start();
		await checked;
		assert.deepEqual(said, ["MONGO_URL: no server answers yet; waiting for it."]);
	});

	test("logs that are in the other store stop the start: numbers would begin anew", async () => {
		const mongo = await logsOnMongo(server.url);
		const { carrier } = await mongo.process();
		const room = randomUUID();
		await refuseOtherStore(mongo.db, true);
		await append(carrier, [event(room, 1)]);
		await carrier.catchUp(room);
		await refuseOtherStore(mongo.db, true);
		await assert.rejects(refuseOtherStore(mongo.db, false), sentence(/^MONGO_URL is not set, but/));
		await mongo.close();
		const postgres = await logsOnPostgres();
		const other = await postgres.process();
		await refuseOtherStore(postgres.db, false);
		await append(other.carrier, [event(randomUUID(), 1)]);
		await assert.rejects(refuseOtherStore(postgres.db, true), sentence(/^MONGO_URL is set, but/));
		await postgres.close();
	});
});
