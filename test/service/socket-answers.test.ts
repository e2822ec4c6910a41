// What events of the realtime door answer, and that no action behind them changes whose socket it is.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { doorHouse, once, seqsOf } from "../support/socket-people.ts";

const { house, connect, groupOf } = await doorHouse();

describe("events", () => {
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
});
