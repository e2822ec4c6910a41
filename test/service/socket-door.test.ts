// The realtime door by itself: who gets in, what every event answers, in which order things are heard, and how it ends.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { ServiceSchema } from "moleculer";
import type { Socket } from "socket.io-client";
import type { DoorReport } from "../../services/contracts/presence.ts";
import { socketEvents } from "../../services/contracts/socket.ts";
import { checkEvents, events as eventTable } from "../../services/socket/events.ts";
import type { SocketLink } from "../../services/socket/link.ts";
import socketService from "../../services/socket/socket.service.ts";
import { eventually } from "../support/eventually.ts";
import type { SocketHouse } from "../support/socket-house.ts";
import { socketHouse } from "../support/socket-house.ts";
import { makeIssuer } from "../support/issuer.ts";
import type { Claims } from "../support/issuer.ts";

interface Wire {
	status: number;
	code: string;
	type: string;
	requestId: string;
	errors?: { path: string }[];
	head?: number;
	retryAfter?: number;
}
type Heard = [what: string, payload: unknown];

const seqsOf = (payload: unknown) => (payload as { events: { seq: number }[] }).events.map(({ seq }) => seq);

// Tests read what comes as clients do, who have no types.
// biome-ignore lint/suspicious/noExplicitAny: the payload of any event
const once = (socket: Socket, event: string): Promise<any[]> =>
	new Promise((resolve) => void socket.once(event as never, ((...args: unknown[]) => resolve(args)) as never));

/** One house, one issuer, and people who connect. */
async function setUp(environment: Record<string, string> = {}) {
	const issuer = await makeIssuer();
	const house = await socketHouse(issuer.nodes, environment);
	const connect = async (profileId: string = randomUUID(), claims: Claims = {}) => {
		const sessionId = claims.sessionId ?? randomUUID();
		const token = await issuer.token(profileId, { ...claims, sessionId });
		const socket = house.client({ token });
		const heard: Heard[] = [];
		socket.onAny((event: string, payload: unknown) => heard.push([event, payload]));
		const refusedWith = once(socket, "connect_error").then(([error]) => Promise.reject(new Error(JSON.stringify(error.data))));
		await Promise.race([once(socket, "connect"), refusedWith]);
		const byes = () => heard.filter(([event]) => event === "bye").map(([, payload]) => payload);
		/** Says something; notes when the acknowledgement came. */
		// biome-ignore lint/suspicious/noExplicitAny: the result of any event
		const ask = (event: string, ...payload: unknown[]): Promise<[error: Wire | null, result: any]> =>
			new Promise((resolve) => {
				socket.emit(event, ...payload, (error: Wire | null, result: unknown) => {
					heard.push([`ack ${event}`, error ?? result]);
					resolve([error, result]);
				});
			});
		const ok = async (event: string, ...payload: unknown[]) => {
			const [error, result] = await ask(event, ...payload);
			assert.equal(error, null, JSON.stringify(error));
			return result;
		};
		const refused = async (event: string, ...payload: unknown[]) => {
			const [error] = await ask(event, ...payload);
			assert.ok(error, `${event} was not refused`);
			return error;
		};
		return { socket, profileId, sessionId, token, heard, byes, ask, ok, refused };
	};
	const refusal = async (auth: object, options: object = {}): Promise<Wire> => {
		const socket = house.client(auth, options);
		const [error] = await once(socket, "connect_error");
		return error.data;
	};
	return { house, issuer, connect, refusal };
}

describe("a handshake", () => {
	let at: Awaited<ReturnType<typeof setUp>>;
	before(async () => {
		at = await setUp({ RATE_LIMIT_FACTOR: "0.1" });
	});
	after(() => at.house.stop());

	test("without a token, or with one that is none, is refused with a problem", async () => {
		for (const [auth, code] of [
			[{}, "unauthenticated"],
			[{ token: null }, "unauthenticated"],
			[{ token: "nonsense" }, "invalid-token"],
			[{ token: 17 }, "invalid-token"],
			[{ token: { toString: "x" } }, "invalid-token"],
			[{ token: "x".repeat(20_000) }, "invalid-token"],
			[{ token: await at.issuer.token(randomUUID(), { expiresIn: -60 }) }, "invalid-token"],
		] as const) {
			const data = await at.refusal(auth);
			assert.deepEqual([data.status, data.code, data.type], [401, code, `urn:reloop:problem:${code}`]);
		}
	});

	test("from a page of another origin is refused, on both transports; known origins and none are let in", async () => {
		const token = await at.issuer.token(randomUUID());
		for (const transports of [["websocket"], ["polling"]]) {
			for (const origin of ["https://evil.example", "null", `${at.house.url}.evil.example`]) {
				const data = await at.refusal({ token }, { transports, extraHeaders: { origin } });
				assert.deepEqual([data.status, data.code], [403, "origin"]);
			}
		}
		for (const origin of ["https://reloop.example", "https://friend.example"]) {
			const socket = at.house.client({ token }, { extraHeaders: { origin } });
			await once(socket, "connect");
			socket.close();
		}
	});

	test("is refused where the profile has too many sockets already, and let in when one has gone", async () => {
		const profileId = randomUUID();
		const first = await at.connect(profileId);
		await at.connect(profileId);
		const data = await at.refusal({ token: await at.issuer.token(profileId) });
		assert.deepEqual([data.status, data.code], [429, "rate-limited"]);
		first.socket.close();
		await eventually(() => at.connect(profileId));
	});

	test("to another namespace is refused", async () => {
		const socket = at.house.client({ token: await at.issuer.token(randomUUID()) });
		const other = socket.io.socket("/admin");
		other.connect();
		const [error] = await once(other, "connect_error");
		assert.match(error.message, /Invalid namespace/);
		socket.close();
	});
});

describe("events", () => {
	let at: Awaited<ReturnType<typeof setUp>>;
	let house: SocketHouse;
	const opened: { socket: Socket }[] = [];
	const connect: Awaited<ReturnType<typeof setUp>>["connect"] = async (...args) => {
		const made = await at.connect(...args);
		opened.push(made);
		return made;
	};
	before(async () => {
		at = await setUp({ RATE_LIMIT_FACTOR: "100000" });
		house = at.house;
	});
	beforeEach(() => {
		for (const { socket } of opened.splice(0)) socket.close();
		house.before.clear();
		house.calls.length = 0;
	});
	after(() => house.stop());

	/** A group with its first member connected. */
	async function groupOf(members = 1) {
		const groupId = randomUUID();
		const people = await Promise.all(Array.from({ length: members }, () => connect()));
		const room = house.room(groupId, ...people.map(({ profileId }) => profileId));
		return { groupId, room, people, ana: people[0] as (typeof people)[number], ben: people[1] as (typeof people)[number] };
	}

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
		assert.deepEqual(house.calls, []);
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
		await once(ana.socket, "disconnect");
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

	test("work over long polling too", async () => {
		const { ana, room, groupId } = await groupOf();
		const socket = house.client({ token: ana.token }, { transports: ["polling"], upgrade: false });
		await once(socket, "connect");
		const heard = once(socket, "events");
		await new Promise((resolve) => socket.emit("group:join", { groupId }, resolve));
		house.say(room, 1);
		assert.deepEqual(seqsOf((await heard)[0]), [1]);
		socket.close();
	});

	test("are answered with the problem a node throws, and with nothing of an error that is none", async () => {
		const { ana, groupId } = await groupOf();
		house.before.set("messages.post", () => {
			throw Object.assign(new Error("select secret from accounts"), { data: { sql: "select" }, stack: "at /home/x.ts" });
		});
		const message = { groupId, clientId: "1", content: "hello" };
		const refused = await ana.refused("message:send", message);
		assert.deepEqual([refused.status, refused.code], [500, "internal"]);
		assert.doesNotMatch(JSON.stringify(refused), /secret|select|home/);
		house.before.set("messages.post", async () => house.broker.call("messages.nothing"));
		assert.equal((await ana.refused("message:send", message)).status, 503);
		assert.equal((await ana.refused("message:edit", { groupId, seq: 1, content: "x" })).status, 503);
	});

	test("cannot have the identity or the rooms of their socket changed by an action (I3, I4)", async () => {
		const { ana, groupId } = await groupOf();
		house.before.set("messages.post", (ctx) => {
			Object.assign(ctx.meta, { user: { admin: true }, $join: "admins", $leave: [ana.socket.id] });
			assert.throws(() => Object.assign(ctx.meta, { principal: { profileId: "eve" } }));
			assert.throws(() => Object.assign(ctx.meta.principal as object, { profileId: "eve" }));
		});
		for (const clientId of ["1", "2"]) await ana.ok("message:send", { groupId, clientId, content: "hello" });
		for (const { meta } of house.callsOf("messages.post")) assert.equal(meta.principal?.profileId, ana.profileId);
		const [link] = [...house.gateway.links].filter(({ id }) => id === ana.socket.id);
		assert.equal((link?.socket.client as unknown as { user?: unknown } | undefined)?.user, undefined);
		assert.equal(link?.socket.rooms.has("admins"), false);
	});

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

	test("an evicted member hears nothing more on any socket, and may not come back", async () => {
		const { ana, ben, room, groupId } = await groupOf(2);
		const phone = await connect(ben.profileId);
		for (const { ok } of [ana, ben, phone]) await ok("group:join", { groupId });
		house.say(room, 1);
		house.rooms.get(room)?.members.delete(ben.profileId);
		house.bus.evict(room, ben.profileId, "not-member");
		house.say(room, 1);
		house.bus.signal(room, { type: "typing", groupId, profileId: ana.profileId });
		await eventually(() => assert.equal(ana.heard.filter(([event]) => event === "events").length, 2));
		for (const gone of [ben, phone]) {
			assert.equal((await gone.refused("group:join", { groupId, after: 0 })).code, "not-member");
			assert.equal((await gone.refused("typing", { groupId })).code, "not-member");
			assert.deepEqual(
				gone.heard.filter(([event]) => event === "events" || event === "signal").map(([, payload]) => seqsOf(payload)),
				[[1]],
			);
		}
	});

	test("an eviction while a join or a resume is under way refuses it", async () => {
		const { ben, room, groupId } = await groupOf(2);
		house.store(room, 3);
		const asked = Promise.withResolvers<void>();
		const go = Promise.withResolvers<void>();
		house.before.set("messages.openRoom", () => {
			asked.resolve();
			return go.promise;
		});
		const join = ben.refused("group:join", { groupId, after: 0 });
		const resume = ben.ok("resume", { rooms: { [room]: 0 } });
		await asked.promise;
		house.bus.evict(room, ben.profileId, "not-found");
		go.resolve();
		assert.equal((await join).code, "not-found");
		house.rooms.get(room)?.members.delete(ben.profileId);
		const { rooms } = (await resume) as { rooms: Record<string, { error?: Wire }> };
		assert.equal(rooms[room]?.error?.status, 404);
		house.say(room, 1);
		assert.equal((await ben.refused("typing", { groupId })).code, "not-member");
		assert.deepEqual(
			ben.heard.filter(([event]) => event === "events"),
			[],
		);
	});

	test("typing reaches the others, once in two seconds, and not oneself", async () => {
		const { ana, ben, groupId } = await groupOf(2);
		const phone = await connect(ana.profileId);
		for (const { ok } of [ana, ben, phone]) await ok("group:join", { groupId });
		for (let turn = 0; turn < 5; turn++) assert.deepEqual(await ana.ok("typing", { groupId }), {});
		for (const other of [ben, phone]) await eventually(() => assert.ok(other.heard.some(([event]) => event === "signal")));
		await ben.refused("nonsense");
		for (const other of [ben, phone]) {
			assert.deepEqual(
				other.heard.filter(([event]) => event === "signal").map(([, payload]) => payload),
				[{ type: "typing", groupId, profileId: ana.profileId }],
			);
		}
		assert.ok(!ana.heard.some(([event]) => event === "signal"));
	});

	test("read answers what the node says", async () => {
		const { ana, groupId } = await groupOf();
		await ana.ok("group:join", { groupId });
		assert.deepEqual(await ana.ok("read", { groupId, seq: 4 }), { groupId, seq: 4, unread: 0 });
	});

	test("message:send is acknowledged with what was stored and passes the principal on", async () => {
		const { ana, room, groupId } = await groupOf();
		const result = (await ana.ok("message:send", { groupId, clientId: "1", kind: "text", content: "hello" })) as unknown as {
			room: string;
			seq: number;
			replayed: boolean;
		};
		assert.deepEqual(Object.keys(result), ["room", "seq", "id", "at", "replayed"]);
		assert.deepEqual([result.room, result.seq, result.replayed], [room, 1, false]);
		const [{ meta } = { meta: {} }] = house.callsOf("messages.post") as {
			meta: { principal?: { profileId: string; sessionId: string }; requestId?: string };
		}[];
		assert.deepEqual([meta.principal?.profileId, meta.principal?.sessionId], [ana.profileId, ana.sessionId]);
		assert.match(meta.requestId ?? "", /^[0-9a-f-]{36}$/);
	});

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

	test("presence: who is here, then what changes, only to those who asked, as members come and go", async () => {
		const { ana, ben, room, groupId } = await groupOf(2);
		assert.equal((await ana.refused("presence:subscribe", {})).status, 422);
		assert.equal((await ana.refused("presence:subscribe", { groupId, profileIds: [randomUUID()] })).status, 422);
		const { online } = (await ana.ok("presence:subscribe", { groupId })) as unknown as { online: { profileId: string }[] };
		assert.deepEqual(new Set(online.map(({ profileId }) => profileId)), new Set([ana.profileId, ben.profileId]));
		const carol = randomUUID();
		const say = (profileId: string) => house.change(profileId, "away");
		const heardBy = (someone: typeof ana) =>
			someone.heard
				.filter(([event]) => event === "signal")
				.map(([, payload]) =>
					(payload as { profiles: { profileId: string; status: string }[] }).profiles.map(
						({ profileId, status }) => `${profileId} ${status}`,
					),
				);
		await say(carol);
		await say(ben.profileId);
		await eventually(() => assert.deepEqual(heardBy(ana), [[`${ben.profileId} away`]]));
		house.bus.publish({
			room,
			events: [{ room, seq: 1, type: "member", at: "2026-01-01T00:00:00.000Z", by: null, action: "joined", profileId: carol }],
		});
		await eventually(() => assert.deepEqual(heardBy(ana).at(-1), [`${carol} online`]));
		await say(carol);
		await eventually(() => assert.deepEqual(heardBy(ana).at(-1), [`${carol} away`]));
		house.bus.evict(room, carol, "not-member");
		await say(carol);
		house.bus.evict(room, ana.profileId, "not-member");
		await say(ben.profileId);
		await ana.refused("nonsense");
		assert.equal(heardBy(ana).length, 3);
		assert.deepEqual(heardBy(ben), []);
		assert.deepEqual(await ana.ok("presence:set", { status: "hidden" }), {});
		assert.deepEqual((house.callsOf("presence.set").at(-1)?.params as { status: string } | undefined)?.status, "hidden");
	});

	test("presence: what changes while the answer is under way is told after it", async () => {
		const { ana, ben, groupId } = await groupOf(2);
		house.before.set("presence.lookup", () => house.change(ben.profileId, "away"));
		await ana.ok("presence:subscribe", { groupId });
		await eventually(() =>
			assert.deepEqual(
				ana.heard.map(([event]) => event),
				["ack presence:subscribe", "signal"],
			),
		);
	});

	test("presence: of a change that comes late or is missing, the node is asked", async () => {
		const { ana, ben, groupId } = await groupOf(2);
		await ana.ok("presence:subscribe", { groupId });
		const statuses = () =>
			ana.heard
				.filter(([event]) => event === "signal")
				.map(([, payload]) => (payload as { profiles: { status: string }[] }).profiles[0]?.status);
		const first = house.reporting.told + 1;
		house.reporting.told += 2;
		await house.change(ben.profileId, "away", first + 1);
		await eventually(() => assert.deepEqual(statuses(), ["away"]));
		house.calls.length = 0;
		await house.change(ben.profileId, "offline", first);
		// The node of this house says of everybody that they are online.
		await eventually(() => assert.deepEqual(statuses(), ["away", "online"]));
		assert.equal(house.callsOf("presence.lookup").length, 1);
		await house.change(ben.profileId, "away");
		await eventually(() => assert.deepEqual(statuses(), ["away", "online", "away"]));
		house.reporting.told++;
		await eventually(() => assert.deepEqual(statuses(), ["away", "online", "away", "online"]));
	});

	test("presence is told which sockets are here, again until it has heard, and everything where it began anew", async () => {
		const reports = () => house.callsOf("presence.report").map(({ params }) => params as DoorReport);
		let failures = 2;
		const profileId = randomUUID();
		const isHers = (one: { profileId: string }) => one.profileId === profileId;
		let connectionId = "";
		house.before.set("presence.report", (ctx) => {
			const { opened, closed } = ctx.params as DoorReport;
			if ((opened.some(isHers) || closed.includes(connectionId)) && failures-- > 0) throw new Error("away");
		});
		const ana = await connect(profileId);
		await eventually(() => assert.ok(reports().filter(({ opened }) => opened.some(isHers)).length > 2));
		connectionId = reports()
			.flatMap(({ opened }) => opened)
			.find(isHers)?.connectionId as string;
		await eventually(() => assert.deepEqual(reports().at(-1)?.opened, [], "a sign of life"));
		assert.equal(reports().at(-1)?.begin, false);
		const count = reports().at(-1)?.count as number;

		house.reporting.known = false;
		await eventually(() => assert.ok(reports().some(({ begin, opened }) => begin && opened.some(isHers))));
		const whole = reports().findLast(({ begin }) => begin) as DoorReport;
		assert.deepEqual([whole.opened.length, whole.count], [count, count]);
		assert.ok(whole.opened.some(isHers));
		house.reporting.known = true;
		await eventually(() => assert.deepEqual([reports().at(-1)?.begin, reports().at(-1)?.opened], [false, []]));

		failures = 2;
		ana.socket.close();
		await eventually(() => assert.ok(reports().filter(({ closed }) => closed.includes(connectionId)).length > 2));
		const numbers = reports().map(({ no }) => no);
		assert.deepEqual(
			numbers,
			numbers.toSorted((a, b) => a - b),
		);
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
});

describe("limits", () => {
	let at: Awaited<ReturnType<typeof setUp>>;
	before(async () => {
		at = await setUp({ RATE_LIMIT_FACTOR: "0.5" });
	});
	after(() => at.house.stop());

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

describe("the end of a socket", () => {
	let at: Awaited<ReturnType<typeof setUp>>;
	before(async () => {
		at = await setUp({ RATE_LIMIT_FACTOR: "100000" });
	});
	after(() => at.house.stop());

	test("comes when its token expires", async () => {
		const ana = await at.connect(undefined, { expiresIn: 1 });
		await once(ana.socket, "disconnect");
		assert.deepEqual(ana.byes(), [{ reason: "expired" }]);
	});

	test("is put off by a newer token of the same profile, and by no other", async () => {
		const ana = await at.connect(undefined, { expiresIn: 2 });
		assert.equal((await ana.refused("token:refresh", { token: "nonsense" })).code, "invalid-token");
		assert.equal((await ana.refused("token:refresh", { token: await at.issuer.token(randomUUID()) })).code, "forbidden");
		const newer = await at.issuer.token(ana.profileId, { accountId: at.issuer.accountOf(ana.profileId), expiresIn: 600 });
		const { expiresIn } = await ana.ok("token:refresh", { token: newer });
		assert.ok((expiresIn as number) > 590 && (expiresIn as number) <= 600);
		const [link] = [...at.house.gateway.links].filter(({ id }) => id === ana.socket.id);
		assert.ok((link?.expiresAt ?? 0) > Date.now() + 590_000);
		const witness = await at.connect(undefined, { expiresIn: 2 });
		await once(witness.socket, "disconnect");
		assert.deepEqual([ana.socket.connected, ana.byes()], [true, []]);
	});

	test("comes within a second of its session's, also of one that came by refresh", async () => {
		const ana = await at.connect();
		const ben = await at.connect();
		const sessionId = randomUUID();
		await ben.ok("token:refresh", {
			token: await at.issuer.token(ben.profileId, { accountId: at.issuer.accountOf(ben.profileId), sessionId }),
		});
		const carol = await at.connect();
		for (const [person, session] of [
			[ana, ana.sessionId],
			[ben, sessionId],
		] as const) {
			const ended = once(person.socket, "disconnect");
			at.issuer.revoke(session);
			const started = performance.now();
			const [reason] = await ended;
			assert.ok(performance.now() - started < 1_000);
			assert.equal(reason, "io server disconnect");
			assert.deepEqual(person.byes(), [{ reason: "revoked" }]);
		}
		assert.equal(carol.socket.connected, true);
		assert.equal((await at.refusal({ token: ana.token })).code, "invalid-token");
	});

	test("comes with a drain: what is under way is answered, a time to come back, a lost connection, nobody let in", async () => {
		const people = await Promise.all(Array.from({ length: 30 }, () => at.connect()));
		const ana = people[0] as (typeof people)[number];
		const groupId = randomUUID();
		at.house.room(groupId, ana.profileId);
		const go = Promise.withResolvers<void>();
		at.house.before.set("messages.post", () => go.promise);
		const sent = ana.ok("message:send", { groupId, clientId: "1", content: "last words" });
		await eventually(() => assert.equal(at.house.callsOf("messages.post").length, 1));
		ana.socket.once("bye", () => go.resolve());
		const gone = Promise.all(people.map(({ socket }) => once(socket, "disconnect")));
		await at.house.drain();
		assert.equal((await sent).seq, 1);
		// Not "io server disconnect": after that a stock client would not come back by itself.
		for (const [reason] of await gone) assert.equal(reason, "transport close");
		for (const person of people) {
			const [bye] = person.byes() as { reason: string; reconnectAfterMs: number }[];
			assert.equal(bye?.reason, "drain");
			assert.ok((bye?.reconnectAfterMs ?? 0) >= 100 && (bye?.reconnectAfterMs ?? 0) <= 2_000);
		}
		const data = await at.refusal({ token: await at.issuer.token(randomUUID()) });
		assert.deepEqual([data.status, data.code], [503, "draining"]);
	});
});

describe("what moleculer-io brings along", () => {
	test("has no actions, and no way to an identity or a room of a socket (I3, I4, I8)", async (context) => {
		const { house } = await setUp();
		context.after(() => house.stop());
		for (const action of ["socket.call", "socket.broadcast", "socket.getClients"]) {
			await assert.rejects(house.broker.call(action, { room: "live group:1", event: "events" }), { type: "SERVICE_NOT_FOUND" });
		}
		const service = house.broker.getLocalService("socket") as unknown as Record<string, () => unknown>;
		for (const method of ["socketSaveUser", "socketSaveMeta", "socketJoinRooms", "socketLeaveRoom"]) {
			assert.throws(() => service[method]?.(), /is closed/);
		}
	});

	test("does not start without an authorizer (I2)", async (context) => {
		const { house } = await setUp();
		context.after(() => house.stop());
		const methods: Record<string, unknown> = { ...socketService.methods };
		delete methods.socketAuthorize;
		const actions = { call: false, broadcast: false, getClients: false };
		assert.throws(() => house.broker.createService({ ...socketService, name: "open", actions, methods } as ServiceSchema), /no authorizer/);
	});
});

describe("the table of events", () => {
	test("stops the start when it and the contracts do not agree", () => {
		assert.doesNotThrow(() => checkEvents());
		assert.throws(
			() => checkEvents({ ...socketEvents, read: { ...socketEvents.read, action: "messages.burn" } }),
			/messages\.burn, which is in no contract/,
		);
		assert.throws(() => checkEvents({ ...socketEvents, read: { ...socketEvents.read, action: "messages.openRoom" } }), /not published/);
		assert.deepEqual(Object.keys(eventTable).sort(), Object.keys(socketEvents).sort());
		assert.throws(() => checkEvents(socketEvents, { group: "messages.burn" }), /messages\.burn/);
	});
});
