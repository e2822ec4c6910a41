// The platform with the logs of groups in MongoDB: what callers hear while it is away, and how a process leaves it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { callAction } from "../../mixins/call.ts";
import type { TestApp } from "../support/app.ts";
import { startTestApp } from "../support/app.ts";
import type { Person } from "../support/client.ts";
import { person } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { sealedPrincipal } from "../support/principal.ts";
import type { Server } from "../support/servers.ts";
import { mongoServer, needs } from "../support/servers.ts";

describe("the platform with MongoDB", { skip: needs("mongod") }, () => {
	let server: Server;
	let app: TestApp;
	let ana: Person;
	before(async () => {
		server = await mongoServer();
		app = await startTestApp({ MONGO_URL: server.url });
		ana = await person(app.url, "Ana");
	});
	after(async () => {
		await app.stop();
		await server.stop();
	});

	const log = async () => (await callAction(app.broker, "groups.health", {})).checks?.log?.status;

	test("while it is away a message is refused with 503 and when to come again; sent again it is stored once", async () => {
		const { body: group } = await ana.post("/api/groups", { name: "Repair", isPublic: true });
		const message = { clientId: randomUUID(), kind: "text", content: "Who has a soldering iron?" };
		const path = `/api/groups/${group.id}/messages`;
		assert.equal(await log(), "ok");
		await server.stop("SIGKILL");
		const refused = await ana.post(path, message);
		assert.deepEqual([refused.status, refused.body.code], [503, "unavailable"], JSON.stringify(refused.body));
		assert.ok(refused.headers.get("retry-after"));
		assert.doesNotMatch(JSON.stringify(refused.body), /mongo|127\.0\.0\.1/i);
		assert.equal(await log(), "down");
		await server.start();
		const stored = await eventually(async () => {
			const reply = await ana.post(path, message);
			assert.ok(reply.status === 200 || reply.status === 201, String(reply.status));
			return reply.body;
		});
		assert.equal((await ana.post(path, message)).body.seq, stored.seq);
		const { body: page } = await ana.get(path);
		assert.deepEqual(
			page.data.map(({ seq, content }: { seq: number; content: string }) => [seq, content]),
			[[stored.seq, message.content]],
		);
		assert.equal(await log(), "ok");
	});

	test("a process that leaves finishes what it has taken: the log stays until then", async () => {
		const ids = { accountId: randomUUID(), profileId: randomUUID(), sessionId: randomUUID() };
		const principal = sealedPrincipal(app.broker, { ...ids, displayName: "Ana", roles: [], scopes: [] });
		const call = { meta: { principal } };
		const { id: groupId } = await callAction(app.broker, "groups.create", { name: "Last words", isPublic: true }, call);
		server.pause();
		const words = Array.from({ length: 20 }, (_, n) =>
			callAction(app.broker, "messages.post", { groupId, clientId: String(n), content: `word ${n}` }, call),
		);
		const stopped = app.stop();
		setTimeout(() => server.resume(), 1_000);
		const posted = await Promise.allSettled(words);
		await stopped;
		assert.deepEqual(
			posted.flatMap((one) => (one.status === "rejected" ? String(one.reason) : [])),
			[],
		);
	});
});
