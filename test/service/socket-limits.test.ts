// How many events a socket may send.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { socketPeople } from "../support/socket-people.ts";

const at = await socketPeople({ RATE_LIMIT_FACTOR: "0.5" });
after(() => at.house.stop());

describe("limits", () => {
	test("too many events are refused with 429 and a time; afterwards the socket goes on", async () => {
		const ana = await at.connect();
		const answers = await Promise.all(Array.from({ length: 200 }, () => ana.ask("resume", { rooms: {} })));
		const refused = answers.map(([error]) => error).filter((error) => error !== null);
		assert.ok(refused.length >= 100 && refused.length < 200, `${refused.length}`);
		for (const error of refused) assert.deepEqual([error.status, error.code, error.retryAfter], [429, "rate-limited", 1]);
		await eventually(() => ana.ok("resume", { rooms: {} }));
	});

	test("too many events in flight are refused with 429", async () => {
		const ana = await at.connect();
		const groupId = randomUUID();
		at.house.room(groupId, ana.profileId);
		const go = Promise.withResolvers<void>();
		at.house.before.set("messages.post", () => go.promise);
		const answers = Array.from({ length: 40 }, (_, index) => ana.ask("message:send", { groupId, clientId: `${index}`, content: "x" }));
		await eventually(() => assert.equal(at.house.callsOf("messages.post").length, 32));
		await eventually(() => assert.equal(ana.heard.length, 8));
		go.resolve();
		const all = await Promise.all(answers);
		assert.equal(all.filter(([error]) => error?.status === 429).length, 8);
	});
});
