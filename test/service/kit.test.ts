// The kit that tests of nodes are written with, on the real ones.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { connect, groupOf, hear, person, say, testApp, told, turnClock } from "../support/kit.ts";

const app = await testApp();

const posted = (senderId: string) => {
	const [groupId, messageId] = [randomUUID(), randomUUID()];
	const payload = { groupId, seq: 1, messageId, senderId, kind: "text", content: "hello" } as const;
	return { type: "groups.message.posted", aggregate: groupId, payload } as const;
};

test("what another node tells is handled when `hear` is done, and the same fact heard again is the same", async () => {
	const ana = randomUUID();
	const facts = await hear(app.broker, posted(ana), posted(ana));
	const paid = () => told("gamification.points.awarded", ana).then((all) => all.map(({ payload }) => payload.total));
	assert.deepEqual(await paid(), [5, 10]);
	await hear(app.broker, ...facts);
	assert.deepEqual(await paid(), [5, 10]);
});

test("an app's own nodes tell what `told` reads", async () => {
	const [ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);
	const groupId = await groupOf(ana, ben);
	const [, joined] = await told("groups.member.joined", groupId);
	assert.partialDeepStrictEqual(joined, { aggregate: groupId, actor: ben.profileId, payload: { profileId: ben.profileId } });
});

describe("a clock that is turned", () => {
	const before = Date.now();

	test("is what everybody sees, stands still, and leaves sockets open", async () => {
		const ana = await person(app.url, "Ana");
		const socket = await connect(app.url, ana.accessToken);
		turnClock(300_000);
		turnClock(60_000);
		assert.ok(Date.now() >= before + 360_000);
		await say(socket, "group:join", { groupId: await groupOf(ana) });
		assert.equal((await ana.get("/api/groups")).status, 200);
		socket.close();
	});

	test("is right again in the next test", () => {
		assert.ok(Date.now() < before + 360_000);
	});
});
