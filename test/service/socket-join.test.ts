// Joining a room at the realtime door: what came before, then each event once.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { doorHouse, seqsOf } from "../support/socket-people.ts";

const { house, connect, groupOf } = await doorHouse();

test("group:join gives what came since, and then each later event once", async () => {
	const { ana, room, groupId } = await groupOf();
	house.store(room, 5);
	const { head, events } = await ana.ok("group:join", { groupId, after: 3 });
	assert.deepEqual([head, seqsOf({ events })], [5, [4, 5]]);
	house.say(room, 2);
	house.say(room, 1);
	await eventually(() =>
		assert.deepEqual(
			ana.heard.filter(([event]) => event === "events").map(([, payload]) => seqsOf(payload)),
			[[6, 7], [8]],
		),
	);
	assert.deepEqual(await ana.ok("group:leave", { groupId }), { room });
	house.say(room, 1);
	assert.deepEqual(await ana.ok("group:leave", { groupId }), { room });
	assert.equal(ana.heard.filter(([event]) => event === "events").length, 2);
});

test("group:join without after gives no events, and of a long absence at most 500", async () => {
	const { ana, room, groupId } = await groupOf();
	house.store(room, 1_100);
	assert.deepEqual(await ana.ok("group:join", { groupId }), { room, head: 1_100, events: [] });
	let known = 0;
	for (const expected of [
		[500, true],
		[500, true],
		[100, undefined],
	]) {
		const { events, more } = await ana.ok("group:join", { groupId, after: known });
		assert.deepEqual([(events as unknown[]).length, more], expected);
		known += (events as unknown[]).length;
	}
});

test("strangers are refused, each for their own reason", async () => {
	const { groupId } = await groupOf();
	const eve = await connect();
	assert.equal((await eve.refused("group:join", { groupId })).code, "not-member");
	assert.equal((await eve.refused("group:join", { groupId: randomUUID() })).code, "not-found");
	assert.equal((await eve.refused("typing", { groupId })).code, "not-member");
});

test("an answer goes out before any live frame with a higher seq, also when frames come while it is asked for", async () => {
	const { ana, room, groupId } = await groupOf();
	house.store(room, 3);
	house.before.set("messages.openRoom", () => {
		house.say(room, 1);
	});
	let during = 0;
	for (let turn = 0; turn < 50; turn++) {
		await ana.ok("group:join", { groupId, after: 3 });
		house.say(room, 1);
		during++;
	}
	await eventually(() => assert.equal(house.rooms.get(room)?.events.length, 3 + 2 * during));
	await ana.ok("group:leave", { groupId });
	// In the order of the wire: what is new to the socket grows by one, whichever way it came.
	let last = 3;
	for (const [event, payload] of ana.heard) {
		if (event === "events") {
			for (const seq of seqsOf(payload)) assert.equal(seq, ++last);
		} else if (event === "ack group:join") {
			const { head, events } = payload as { head: number; events: { seq: number }[] };
			assert.equal(events.at(-1)?.seq, head);
			last = Math.max(last, head);
		}
	}
	assert.equal(last, 3 + 2 * during);
});
