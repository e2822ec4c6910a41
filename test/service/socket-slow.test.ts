// Sockets that are slow, and sockets that have gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { doorHouse, seqsOf } from "../support/socket-people.ts";

const { house, opened, groupOf } = await doorHouse();

test("a slow socket is told to pull, gets nothing more, and everything when it asks; the others are not held up", async () => {
	const { ana, ben, room, groupId } = await groupOf(2);
	for (const { ok } of [ana, ben]) await ok("group:join", { groupId });
	const wire = (ana.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void; resume(): void } } }).ws._socket;
	wire.pause();
	const content = "x".repeat(4_000);
	const link = [...house.gateway.links].find(({ id }) => id === ana.socket.id);
	const talk = async (frames: number) => {
		for (let turn = 0; turn < frames; turn++) {
			house.say(room, 20, content);
			await setImmediate();
		}
	};
	await eventually(async () => {
		await talk(20);
		assert.equal(link?.slow(), true);
	});
	const backlog = link?.backlog() ?? 0;
	await talk(20);
	assert.ok((link?.backlog() ?? 0) < backlog + 100_000, "nothing is added to what waits");
	const total = house.rooms.get(room)?.events.length ?? 0;
	await eventually(() =>
		assert.equal(ben.heard.filter(([event]) => event === "events").flatMap(([, payload]) => seqsOf(payload)).length, total),
	);
	wire.resume();
	await eventually(() => assert.equal(ana.heard.filter(([event]) => event === "pull").length, 1));
	house.say(room, 1);
	await ana.refused("nonsense");
	assert.equal(ana.heard.findLast(([event]) => event === "events" || event === "pull")?.[0], "pull");
	let known =
		ana.heard
			.filter(([event]) => event === "events")
			.flatMap(([, payload]) => seqsOf(payload))
			.at(-1) ?? 0;
	for (let more: true | undefined = true; more; ) {
		const { rooms } = (await ana.ok("resume", { rooms: { [room]: known } })) as {
			rooms: Record<string, { events: { seq: number }[]; more?: true }>;
		};
		for (const { seq } of rooms[room]?.events ?? []) assert.equal(seq, ++known);
		more = rooms[room]?.more;
	}
	assert.equal(known, total + 1);
	house.say(room, 1);
	await eventually(() => assert.deepEqual(seqsOf(ana.heard.at(-1)?.[1]), [total + 2]));
});

test("a socket that has gone leaves nothing behind", async () => {
	const { ana, groupId } = await groupOf();
	await ana.ok("group:join", { groupId });
	await ana.ok("presence:subscribe", { groupId });
	for (const { socket } of opened.splice(0)) socket.close();
	await eventually(() =>
		assert.deepEqual(
			[house.gateway.links.size, house.gateway.gate.size, house.gateway.interest.size, house.gateway.socketsFrom("127.0.0.1")],
			[0, 0, 0, 0],
		),
	);
});
