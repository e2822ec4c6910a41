// What no client of ours would send to the realtime door: nobody but its sender notices.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { DoorReport } from "../../services/contracts/presence.ts";
import { socketEvents } from "../../services/contracts/socket.ts";
import type { SocketLink } from "../../services/socket/link.ts";
import { eventually } from "../support/eventually.ts";
import { doorHouse, seqsOf } from "../support/socket-people.ts";

const { house, connect, groupOf } = await doorHouse();

describe("events", () => {
	test("unknown ones are refused with an acknowledgement, and ignored and counted without", async () => {
		const { ana } = await groupOf();
		for (const event of [
			"nonsense",
			"call",
			"broadcast",
			"getClients",
			"$node.list",
			"messages.openRoom",
			"error",
			"__proto__",
			"constructor",
			"toString",
		]) {
			const refused = await ana.refused(event, { action: "$node.list" }, {});
			assert.deepEqual([refused.status, refused.code], [404, "unknown-event"], event);
		}
		const counted = house.gateway.unknownEvents;
		ana.socket.emit("nonsense", 1, 2, 3);
		await ana.ok("typing", { groupId: randomUUID() }).catch(() => undefined);
		assert.equal(house.gateway.unknownEvents, counted + 1);
		assert.deepEqual(house.callsOf("$node.list"), []);
	});

	test("with hostile payloads are refused with 422 before any node hears of them", async () => {
		const { ana, groupId } = await groupOf();
		await eventually(() => assert.ok(house.callsOf("presence.report").some(({ params }) => (params as DoorReport).opened.length === 1)));
		await eventually(() => assert.equal(house.callsOf("notifications.openRoom").length, 1));
		house.calls.length = 0;
		const hostile: unknown[][] = [
			[],
			[null],
			[17],
			["text"],
			[[]],
			[{}],
			[{ groupId, unknown: 1 }],
			[JSON.parse(`{"groupId":"${groupId}","__proto__":{"admin":true}}`)],
			[JSON.parse(`{"groupId":"${groupId}","constructor":{"prototype":{}}}`)],
			[{ groupId: { $ne: null } }],
			[{ groupId: [groupId] }],
			[{ groupId: "not a uuid" }],
			[{ groupId: `${groupId}\0` }],
			[{ groupId: Buffer.from("x") }],
			[Buffer.alloc(100_000)],
			[{ groupId }, { groupId }],
			[{ groupId, seq: -1, content: "x", clientId: "y", rooms: {}, token: "z", profileIds: [], status: "s", emoji: "e" }],
			[{ groupId, content: "x".repeat(100_000), clientId: "c", kind: "text" }],
			[{ groupId, content: "\ud800", clientId: "c" }],
			[{ groupId, content: "x", clientId: "" }],
			[{ rooms: JSON.parse('{"__proto__": 1}') }],
			[{ rooms: { [`group:${groupId}`]: -1 } }],
			[{ rooms: { [`group:${groupId}`]: 1.5 } }],
			[{ rooms: [1] }],
			[JSON.parse(`${'{"groupId":'.repeat(500)}1${"}".repeat(500)}`)],
		];
		for (const event of Object.keys(socketEvents)) {
			for (const payload of hostile) {
				const refused = await ana.refused(event, ...payload);
				assert.deepEqual([refused.status, refused.code], [422, "validation"], `${event} ${JSON.stringify(payload).slice(0, 200)}`);
				assert.match(refused.requestId, /^[0-9a-f-]{36}$/);
			}
		}
		// Deeper than our own client could write it.
		for (const nested of [`${'{"groupId":'.repeat(20_000)}1${"}".repeat(20_000)}`, `${"[".repeat(100_000)}${"]".repeat(100_000)}`])
			ana.socket.io.engine.write(`2["typing",${nested}]`);
		await ana.refused("nonsense");
		// With whom somebody is apart is asked by the door itself, when they come.
		assert.deepEqual(
			house.calls.filter(({ name }) => name !== "blocks.apart"),
			[],
		);
		assert.equal(ana.socket.connected, true);
	});

	test("without an acknowledgement do their work, or nothing, and harm nobody", async () => {
		const { ana, room, groupId } = await groupOf();
		ana.socket.emit("group:join", { groupId });
		const link = [...house.gateway.links].find(({ id }) => id === ana.socket.id) as SocketLink;
		await eventually(() => assert.ok(house.gateway.gate.has(link, room)));
		ana.socket.emit("group:join");
		ana.socket.emit("resume", "nonsense");
		ana.socket.emit("message:send", { groupId, clientId: "1", content: "hello" });
		await eventually(() =>
			assert.deepEqual(
				ana.heard.map(([event, payload]) => [event, seqsOf(payload)]),
				[["events", [1]]],
			),
		);
		assert.equal(house.rooms.get(room)?.events.length, 1);
	});

	test("larger than a packet may be end the connection, not the process", async () => {
		const { ana, ben } = await groupOf(2);
		ana.socket.emit("message:send", { content: "x".repeat(2_000_000) });
		await ana.ended;
		assert.equal((await ben.refused("nonsense")).status, 404);
	});

	test("and garbage on the wire end that connection at most", async () => {
		const { ben } = await groupOf(2);
		const garbage: (string | Buffer)[] = [
			"",
			"9",
			"4",
			"4{",
			"42[",
			"42[]",
			"42[{}]",
			"42[null]",
			'42["connect"]',
			'42["disconnect"]',
			"42/nowhere,[]",
			"40{",
			"40[1]",
			'43999999999999999999["x"]',
			"43-1[]",
			"41",
			"44{}",
			'451-["typing",{"_placeholder":true,"num":0}]',
			'45999999999-["typing"]',
			'451-["typing",{"_placeholder":true,"num":-1}]',
			"\ud800",
			"2".repeat(10_000),
			Buffer.from([0xff, 0xfe, 0x00]),
			Buffer.alloc(10_000),
		];
		for (const words of garbage) {
			const { socket } = await connect();
			const wire = (socket.io.engine.transport as unknown as { ws: { send(data: string | Buffer): void; terminate(): void } }).ws;
			wire.send(words);
			wire.send(words);
			wire.terminate();
		}
		assert.equal((await ben.refused("nonsense")).status, 404);
		await eventually(() => assert.equal([...house.gateway.links].length, 2));
	});
});
