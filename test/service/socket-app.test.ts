// The realtime door with the real nodes behind it: what only shows when all of them are there.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Socket } from "socket.io-client";
import type { Person } from "../support/kit.ts";
import { connect, eventually, groupOf, is, listen, person, say, testApp } from "../support/kit.ts";
import { welcomed } from "../support/notifications.ts";

const app = await testApp();

const open: Socket[] = [];
const join = async (who: Person): Promise<Socket> => {
	const socket = await connect(app.url, who.accessToken);
	open.push(socket);
	return socket;
};
after(() => {
	for (const socket of open) socket.close();
});

// biome-ignore lint/suspicious/noExplicitAny: signals of any type
const signals = (socket: Socket): any[] => {
	// biome-ignore lint/suspicious/noExplicitAny: signals of any type
	const heard: any[] = [];
	socket.on("signal", (signal: unknown) => void heard.push(signal));
	return heard;
};

test("everything an event can do to the log is heard in one order by everybody, with the events of HTTP", async () => {
	const [ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);
	const groupId = await groupOf(ana, ben);
	const room = `group:${groupId}`;
	const [anaSocket, benSocket] = await Promise.all([join(ana), join(ben)]);
	const heard = [listen(anaSocket, room), listen(benSocket, room)];
	const { head } = await say(anaSocket, "group:join", { groupId });
	await say(benSocket, "group:join", { groupId });
	const sent = await say(anaSocket, "message:send", { groupId, clientId: "1", kind: "text", content: "a needle?" });
	assert.deepEqual([sent.room, sent.seq, sent.replayed], [room, head + 1, false]);
	const again = await say(anaSocket, "message:send", { groupId, clientId: "1", kind: "text", content: "a needle?" });
	assert.deepEqual([again.seq, again.id, again.replayed], [sent.seq, sent.id, true]);
	const http = await ben.post(`/api/groups/${groupId}/messages`, { clientId: "1", kind: "text", content: "here" });
	assert.equal(http.body.seq, head + 2);
	assert.deepEqual(await say(anaSocket, "message:edit", { groupId, seq: sent.seq, content: "a needle, please?" }), { room, seq: head + 3 });
	assert.deepEqual(await say(benSocket, "message:react", { groupId, seq: sent.seq, emoji: "🪡" }), {
		room,
		seq: head + 4,
		reactions: [{ emoji: "🪡", count: 1, mine: true }],
	});
	assert.deepEqual(await say(benSocket, "message:delete", { groupId, seq: http.body.seq }), { room, seq: head + 5 });
	await assert.rejects(
		say(benSocket, "message:delete", { groupId, seq: 9_999 }),
		(error) => (error as { problem?: { status: number } }).problem?.status === 404,
	);
	const { data } = (await ana.get(`/api/groups/${groupId}/events?after=${head}`)).body;
	// What was deleted is gone from the log, too.
	assert.equal(data[1].message.content, null);
	data[1].message.content = "here";
	for (const events of heard) await eventually(() => assert.deepEqual(events, data));
	assert.deepEqual(
		data.map(({ type }: { type: string }) => type),
		["message", "message", "edited", "reacted", "deleted"],
	);
	assert.deepEqual(await say(benSocket, "read", { groupId, seq: head + 1 }), { groupId, seq: head + 1, unread: 0 });
});

test("a read mark reaches the others and one's own other devices, from a socket and from HTTP, and not the socket that set it", async () => {
	const [ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);
	const groupId = await groupOf(ana, ben);
	const sockets = await Promise.all([join(ana), join(ana), join(ben)]);
	const [setting, phone, others] = sockets.map(signals) as [unknown[], unknown[], unknown[]];
	for (const socket of sockets) await say(socket, "group:join", { groupId });
	const mark = (seq: number) => ({ type: "read", groupId, profileId: ana.profileId, seq });
	const { seq } = (await ben.post(`/api/groups/${groupId}/messages`, { clientId: "1", kind: "text", content: "read this" })).body;
	await say(sockets[0] as Socket, "read", { groupId, seq: seq - 1 });
	for (const heard of [phone, others]) await eventually(() => assert.deepEqual(heard, [mark(seq - 1)]));
	is(await ana.send("PUT", `/api/groups/${groupId}/read`, { seq }), 200);
	for (const heard of [phone, others]) await eventually(() => assert.deepEqual(heard, [mark(seq - 1), mark(seq)]));
	await eventually(() => assert.deepEqual(setting, [mark(seq)]));
});

test("XP for a message arrives in the own room, live and by resume", async () => {
	const ana = await person(app.url, "Ana");
	const groupId = await groupOf(ana);
	const room = `profile:${ana.profileId}`;
	// The room has more than XP in it: she is welcomed there.
	await welcomed(ana);
	const socket = await join(ana);
	const heard = listen(socket, room);
	for (const clientId of ["1", "2"]) await say(socket, "message:send", { groupId, clientId, kind: "text", content: "hello" });
	const xp = () => heard.filter(({ type }) => type === "xp");
	await eventually(() => assert.equal(xp().length, 2));
	assert.deepEqual(
		xp().map(({ seq }) => seq),
		[2, 3],
	);
	assert.deepEqual(
		xp().map(({ amount, total }) => [amount, total]),
		[
			[5, 5],
			[5, 10],
		],
	);
	const { rooms } = await say(await join(ana), "resume", { rooms: { [`notification:${ana.profileId}`]: 1 } });
	assert.deepEqual(rooms[`notification:${ana.profileId}`], { head: 3, events: xp() });
	await assert.rejects(say(socket, "resume", { rooms: { [room]: -1 } }));
});

test("who is kicked hears nothing more, and who leaves neither", async () => {
	const [ana, ben, carol] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben"), person(app.url, "Carol")]);
	const groupId = await groupOf(ana, ben, carol);
	const room = `group:${groupId}`;
	const sockets = await Promise.all([ana, ben, carol].map(join));
	const [ours, bens, carols] = sockets.map((socket) => listen(socket, room)) as [unknown[], { type: string }[], { type: string }[]];
	for (const socket of sockets) await say(socket, "group:join", { groupId });
	assert.equal((await ana.send("DELETE", `/api/groups/${groupId}/members/${ben.profileId}`)).status, 204);
	assert.equal((await carol.post(`/api/groups/${groupId}/leave`)).status, 204);
	await say(sockets[0] as Socket, "message:send", { groupId, clientId: "1", kind: "text", content: "they are gone" });
	await eventually(() => assert.equal(ours.length, 3));
	for (const socket of sockets.slice(1)) {
		await assert.rejects(
			say(socket, "group:join", { groupId }),
			(error) => (error as { problem?: { code: string } }).problem?.code === "not-member",
		);
	}
	for (const heard of [bens, carols]) assert.ok(!heard.some(({ type }) => type === "message"));
});

// That a flapping link is no news is a matter of time, and told with a turned clock in the unit tests.
test("presence: online, away, and offline after the last socket", async () => {
	const [ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);
	const groupId = await groupOf(ana, ben);
	const socket = await join(ana);
	const heard = signals(socket);
	// In the very first answer, however soon it is asked for: oneself is here.
	const { online } = await say(socket, "presence:subscribe", { groupId });
	assert.deepEqual(online, [{ profileId: ana.profileId, status: "online", lastSeen: null }]);
	const statuses = () =>
		heard
			.flatMap(({ profiles }) => profiles)
			.map(({ profileId, status }) => `${profileId === ben.profileId ? "Ben" : "another"} ${status}`);
	for (let n = 0; n < 20; n++) {
		const newcomer = await person(app.url, "Newcomer");
		const early = await join(newcomer);
		const own = await say(early, "presence:subscribe", { profileIds: [newcomer.profileId] });
		assert.deepEqual(own.online, [{ profileId: newcomer.profileId, status: "online", lastSeen: null }]);
		early.close();
	}
	const bens = await join(ben);
	const again = await join(ben);
	await eventually(() => assert.deepEqual(statuses(), ["Ben online"]));
	again.close();
	await say(bens, "presence:set", { status: "away" });
	await eventually(() => assert.deepEqual(statuses(), ["Ben online", "Ben away"]));
	bens.close();
	await eventually(() => assert.deepEqual(statuses(), ["Ben online", "Ben away", "Ben offline"]));
	const { data } = (await ana.get(`/api/presence?ids=${ben.profileId},${ana.profileId}`)).body;
	assert.deepEqual(
		data.map(({ profileId, status }: { profileId: string; status: string }) => [profileId, status]),
		[
			[ben.profileId, "offline"],
			[ana.profileId, "online"],
		],
	);
	assert.ok(data[0].lastSeen);
});

test("a logout closes the session's sockets and no other", async () => {
	const ana = await person(app.url, "Ana");
	const login = await ana.post("/api/auth/login", { email: ana.email, password: ana.password });
	const [first, second] = [await join(ana), await connect(app.url, login.body.tokens.accessToken)];
	open.push(second);
	const bye = new Promise((resolve) => first.once("bye", resolve));
	const gone = new Promise((resolve) => first.once("disconnect", resolve));
	assert.equal((await ana.post("/api/auth/logout")).status, 204);
	assert.deepEqual(await bye, { reason: "revoked" });
	assert.equal(await gone, "io server disconnect");
	await assert.rejects(connect(app.url, ana.accessToken), (error) => (error as { problem?: { status: number } }).problem?.status === 401);
	assert.equal(second.connected, true);
	await say(second, "presence:set", { status: "online" });
});
