// The story of the README, told once through everything.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { connect, eventually, listen, person, say, testApp } from "../../support/kit.ts";

const app = await testApp();
test("two people register, talk over HTTP and sockets, earn XP, and one catches up with what was missed", async () => {
	const ana = await person(app.url, "Ana");
	const ben = await person(app.url, "Ben");

	const made = await ana.post("/api/groups", { name: "Repair café", isPublic: true });
	assert.equal(made.status, 201);
	const groupId: string = made.body.id;
	assert.partialDeepStrictEqual(made.body, {
		...{ name: "Repair café", description: "", isPublic: true, role: "admin", memberCount: 1, head: 1, unread: 0 },
		...{ kind: "group", peer: null, avatar: null, mutedUntil: null },
	});

	const joined = await ben.post(`/api/groups/${groupId}/join`);
	assert.equal(joined.status, 200);
	assert.deepEqual(joined.body, { groupId, profileId: ben.profileId, role: "member", state: "member" });

	const anaSocket = await connect(app.url, ana.accessToken);
	const benSocket = await connect(app.url, ben.accessToken);
	const room = `group:${groupId}`;
	const anaHears = listen(anaSocket, room);
	const anaOwn = listen(anaSocket, `profile:${ana.profileId}`);
	const { head } = await say(anaSocket, "group:join", { groupId });
	assert.deepEqual(await say(benSocket, "group:join", { groupId, after: head }), { room, head, events: [] });
	const benHears = listen(benSocket, room);

	const overHttp = await ana.post(`/api/groups/${groupId}/messages`, { clientId: "a-1", kind: "text", content: "Who can mend a zip?" });
	assert.equal(overHttp.status, 201);
	assert.equal(overHttp.body.seq, head + 1);
	const overSocket = await say(benSocket, "message:send", { groupId, clientId: "b-1", kind: "text", content: "I can." });
	assert.equal(overSocket.seq, head + 2);
	assert.equal(overSocket.replayed, false);

	const again = await ana.post(`/api/groups/${groupId}/messages`, { clientId: "a-1", kind: "text", content: "another text" });
	assert.equal(again.status, 200);
	assert.equal(again.headers.get("idempotent-replayed"), "true");
	assert.equal(again.body.seq, overHttp.body.seq);
	assert.equal(again.body.id, overHttp.body.id);

	await eventually(() => {
		assert.deepEqual(
			anaHears.map((event) => [event.seq, event.type, event.message.content]),
			[
				[head + 1, "message", "Who can mend a zip?"],
				[head + 2, "message", "I can."],
			],
		);
		assert.deepEqual(benHears, anaHears);
	});

	const xp = await eventually(() => {
		const event = anaOwn.find((heard) => heard.type === "xp");
		assert.ok(event);
		return event;
	});
	assert.equal(xp.source, overHttp.body.id);
	assert.ok(xp.amount > 0 && xp.total === xp.amount);
	assert.equal((await ana.get("/api/gamification/points/me")).body.xp, xp.amount);

	benSocket.disconnect();
	for (let n = 1; n <= 3; n++)
		await say(anaSocket, "message:send", { groupId, clientId: `a-off-${n}`, kind: "text", content: `missed ${n}` });
	const back = await connect(app.url, ben.accessToken);
	const { rooms } = await say(back, "resume", { rooms: { [room]: overSocket.seq, [`profile:${ben.profileId}`]: 0 } });
	assert.deepEqual(
		rooms[room].events.map((event: { message: { content: string } }) => event.message.content),
		["missed 1", "missed 2", "missed 3"],
	);
	assert.equal(rooms[room].head, head + 5);
	assert.deepEqual(
		rooms[`profile:${ben.profileId}`].events.map((event: { type: string }) => event.type),
		["notification", "xp"],
	);

	const log = await ben.get(`/api/groups/${groupId}/events?after=0`);
	assert.deepEqual(
		log.body.data.map((event: { seq: number }) => event.seq),
		Array.from({ length: head + 5 }, (_, index) => index + 1),
	);
	assert.deepEqual(
		log.body.data.filter((event: { seq: number }) => event.seq > overSocket.seq),
		rooms[room].events,
	);
	anaSocket.disconnect();
	back.disconnect();
});

test("the same message sent fifty times at once over both transports is one message", async () => {
	const ana = await person(app.url, "Ana");
	const groupId = (await ana.post("/api/groups", { name: "Echo", isPublic: true })).body.id;
	const socket = await connect(app.url, ana.accessToken);
	const message = { clientId: randomUUID(), kind: "text", content: "once" };
	const answers = await Promise.all(
		Array.from({ length: 50 }, async (_, n) =>
			n % 2 ? say(socket, "message:send", { groupId, ...message }) : (await ana.post(`/api/groups/${groupId}/messages`, message)).body,
		),
	);
	assert.equal(new Set(answers.map((answer) => `${answer.seq} ${answer.id}`)).size, 1);
	const page = await ana.get(`/api/groups/${groupId}/messages`);
	assert.equal(page.body.data.length, 1);
	assert.equal((await ana.get(`/api/groups/${groupId}`)).body.head, 2);
	socket.disconnect();
});

test("a message sent again after a restart of the actor is still the first one", async () => {
	const ana = await person(app.url, "Ana");
	const groupId = (await ana.post("/api/groups", { name: "Long ago", isPublic: true })).body.id;
	const first = await ana.post(`/api/groups/${groupId}/messages`, { clientId: "old", kind: "text", content: "first" });
	for (let n = 0; n < 30; n++) await ana.post(`/api/groups/${groupId}/messages`, { clientId: `n-${n}`, kind: "text", content: "more" });
	const socket = await connect(app.url, ana.accessToken);
	const [replayed, fresh] = await Promise.all([
		say(socket, "message:send", { groupId, clientId: "old", kind: "text", content: "again" }),
		say(socket, "message:send", { groupId, clientId: "new", kind: "text", content: "new" }),
	]);
	assert.deepEqual([replayed.seq, replayed.replayed], [first.body.seq, true]);
	assert.deepEqual([fresh.seq, fresh.replayed], [33, false]);
	socket.disconnect();
});

test("levels come with XP, the daily cap holds, and both are seen in the profile's room", async () => {
	const ana = await person(app.url, "Ana");
	const groupId = (await ana.post("/api/groups", { name: "Busy", isPublic: true })).body.id;
	const socket = await connect(app.url, ana.accessToken);
	const own = listen(socket, `profile:${ana.profileId}`);
	for (let n = 0; n < 25; n++) await say(socket, "message:send", { groupId, clientId: `n-${n}`, kind: "text", content: "more" });
	await eventually(async () =>
		assert.deepEqual((await ana.get("/api/gamification/points/me")).body, { xp: 100, level: 4, points: 0, coins: 0 }),
	);
	await eventually(() =>
		assert.deepEqual(
			own.filter((event) => event.type === "level").map(({ level, previous }) => [level, previous]),
			[
				[1, 0],
				[2, 1],
				[3, 2],
				[4, 3],
			],
		),
	);
	assert.equal(own.filter((event) => event.type === "xp").length, 20);
	// The welcome stands before all of it, and may have been told before the socket was there.
	const first = own[0]?.seq ?? 0;
	assert.ok(first <= 2, `the first heard has the number ${first}`);
	assert.deepEqual(
		own.map((event) => event.seq),
		own.map((_, index) => first + index),
	);
	socket.disconnect();
});
