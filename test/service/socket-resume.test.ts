// Coming back to the realtime door: every room of a socket, and its own, without a gap or a repetition.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { doorHouse, seqsOf } from "../support/socket-people.ts";
import type { Wire } from "../support/socket-people.ts";

const { house, connect, groupOf } = await doorHouse();

test("resume answers each room for itself: caught up, more to come, not allowed, not there, ahead", async () => {
	const { ana, room } = await groupOf();
	const other = house.room(randomUUID(), ana.profileId);
	const foreign = house.room(randomUUID());
	house.store(room, 600);
	house.store(other, 2);
	const { rooms } = (await ana.ok("resume", {
		rooms: {
			[room]: 0,
			[other]: 1,
			[foreign]: 0,
			[`profile:${ana.profileId}`]: 0,
			[`notification:${ana.profileId}`]: 0,
			[`profile:${randomUUID()}`]: 0,
			"castle:1": 0,
			"group:": 0,
			[`group:${randomUUID()}`]: 9,
		},
	})) as { rooms: Record<string, { head: number; events: { seq: number }[]; more?: true; error?: Wire }> };
	assert.deepEqual([rooms[room]?.head, rooms[room]?.events.length, rooms[room]?.more], [600, 500, true]);
	assert.deepEqual([rooms[other]?.head, rooms[other]?.events.map(({ seq }) => seq), rooms[other]?.more], [2, [2], undefined]);
	assert.equal(rooms[foreign]?.error?.code, "not-member");
	for (const own of [`profile:${ana.profileId}`, `notification:${ana.profileId}`]) assert.deepEqual(rooms[own], { head: 0, events: [] });
	for (const name of Object.keys(rooms).slice(5)) assert.equal(rooms[name]?.error?.status, 404, name);
	house.say(room, 1);
	house.say(other, 1);
	await eventually(() =>
		assert.deepEqual(
			ana.heard.filter(([event]) => event === "events").map(([, payload]) => (payload as { room: string }).room),
			[other],
		),
	);
	const again = (await ana.ok("resume", { rooms: { [room]: 500, [other]: 99 } })) as {
		rooms: Record<string, { head: number; events: unknown[]; more?: true; error?: Wire }>;
	};
	assert.deepEqual([again.rooms[room]?.events.length, again.rooms[room]?.more], [101, undefined]);
	assert.deepEqual(
		[again.rooms[other]?.error?.status, again.rooms[other]?.error?.code, again.rooms[other]?.error?.head],
		[409, "seq-ahead", 3],
	);
	house.say(room, 1);
	await eventually(() => assert.deepEqual(seqsOf(ana.heard.findLast(([event]) => event === "events")?.[1]), [602]));
});

test("a room that fails in its node is a 500 for itself, and logged with its cause; one that is refused is not", async () => {
	const { ana, room } = await groupOf();
	const foreign = house.room(randomUUID());
	const errors: unknown[][] = [];
	const { logger } = house.broker;
	const before = logger.error;
	logger.error = (...words: unknown[]) => void errors.push(words);
	try {
		house.before.set("messages.openRoom", ({ params }) => {
			if (room.endsWith((params as { key: string }).key)) throw new Error("level is required");
		});
		const { rooms } = await ana.ok("resume", { rooms: { [room]: 0, [foreign]: 0 } });
		assert.deepEqual([rooms[room].error.code, rooms[foreign].error.code], ["internal", "not-member"]);
		assert.doesNotMatch(JSON.stringify(rooms), /required/);
		const [[what, about] = [], ...others] = errors.filter(([words]) => String(words).startsWith("To resume"));
		const { requestId, error } = about as { requestId: string; error: Error };
		assert.deepEqual([what, requestId, error.message], [`To resume ${room} failed.`, rooms[room].error.requestId, "level is required"]);
		assert.deepEqual(others, []);
	} finally {
		logger.error = before;
	}
});

test("resume of many long rooms at once is answered in portions that end", async () => {
	const { ana } = await groupOf();
	const rooms = Array.from({ length: 12 }, () => house.room(randomUUID(), ana.profileId));
	for (const room of rooms) house.store(room, 700, "x".repeat(500));
	const known = Object.fromEntries(rooms.map((room) => [room, 0]));
	const open = new Set(rooms);
	let asked = 0;
	while (open.size > 0) {
		assert.ok(++asked < 30);
		const answer = (await ana.ok("resume", { rooms: Object.fromEntries([...open].map((room) => [room, known[room]])) })) as {
			rooms: Record<string, { events: { seq: number }[]; more?: true }>;
		};
		assert.ok(JSON.stringify(answer).length < 3_000_000);
		for (const room of open) {
			for (const { seq } of answer.rooms[room]?.events ?? []) {
				assert.equal(seq, (known[room] ?? 0) + 1);
				known[room] = seq;
			}
			if (!answer.rooms[room]?.more) open.delete(room);
		}
	}
	for (const room of rooms) assert.equal(known[room], 700);
});

test("the profile's own room is heard without asking, and after a resume without a gap or a repetition", async () => {
	const profileId = randomUUID();
	house.rooms.set(`profile:${profileId}`, { members: new Set([profileId]), events: [] });
	house.store(`profile:${profileId}`, 3);
	const first = await connect(profileId);
	house.say(`profile:${profileId}`, 1);
	await eventually(() =>
		assert.deepEqual(
			first.heard.map(([, payload]) => seqsOf(payload)),
			[[4]],
		),
	);
	const second = await connect(profileId);
	house.say(`profile:${profileId}`, 1);
	const { rooms } = (await second.ok("resume", { rooms: { [`profile:${profileId}`]: 2 } })) as {
		rooms: Record<string, { events: { seq: number }[] }>;
	};
	house.say(`profile:${profileId}`, 1);
	await eventually(() => assert.equal(second.heard.length, 2));
	assert.deepEqual(
		second.heard.map(([event]) => event),
		["ack resume", "events"],
	);
	assert.deepEqual([rooms[`profile:${profileId}`]?.events.map(({ seq }) => seq), seqsOf(second.heard[1]?.[1])], [[3, 4, 5], [6]]);
});

test("the profile's own room is opened later where its node was away at the connect", async () => {
	let away = true;
	house.before.set("notifications.openRoom", () => {
		if (away) throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
	});
	const ana = await connect();
	await eventually(() => assert.ok(house.callsOf("notifications.openRoom").length > 0));
	away = false;
	house.rooms.set(`profile:${ana.profileId}`, { members: new Set([ana.profileId]), events: [] });
	await eventually(() => {
		house.say(`profile:${ana.profileId}`, 1);
		assert.ok(ana.heard.some(([event]) => event === "events"));
	});
});
