// Talks of two people, and blocks between them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { exported } from "../support/archive.ts";
import type { Person } from "../support/kit.ts";
import { callAction, connect, eventually, groupOf, is, listen, person, say, testApp, told } from "../support/kit.ts";

const app = await testApp();
const trio = () => Promise.all(["Ana", "Ben", "Eve"].map((name) => person(app.url, name))) as Promise<[Person, Person, Person]>;
const direct = (who: Person, other: Person) => who.get(`/api/direct/${other.profileId}`);
const post = (who: Person, groupId: string, content = "Hello") =>
	who.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), content });

test("two people have one talk, however often and from wherever both ask at once", async () => {
	const [ana, ben] = await trio();
	const asked = await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? direct(ana, ben) : direct(ben, ana))));
	assert.deepEqual([...new Set(asked.map((reply) => is(reply, 200).body.id))].length, 1);
	const mine = (await direct(ana, ben)).body;
	assert.partialDeepStrictEqual(mine, { kind: "direct", isPublic: false, memberCount: 2, role: "member", name: "Ben", head: 2, unread: 0 });
	assert.deepEqual(mine.peer, { profileId: ben.profileId, displayName: "Ben" });
	assert.equal((await told("groups.direct.created", mine.id)).length, 1);
	is(await post(ana, mine.id), 201);
	const [listed] = (await ben.get("/api/groups")).body.data;
	assert.partialDeepStrictEqual(listed, {
		id: mine.id,
		kind: "direct",
		name: "Ana",
		peer: { profileId: ana.profileId, displayName: "Ana" },
		unread: 1,
	});
	is(await ana.get(`/api/direct/${ana.profileId}`), 422, "validation");
	is(await ana.get(`/api/direct/${randomUUID()}`), 404, "not-found");
});

test("it is of these two alone: nobody joins, invites, runs or leaves it, and for others it is not there", async () => {
	const [ana, ben, eve] = await trio();
	const { id } = is(await direct(ana, ben), 200).body;
	for (const path of ["", "/messages", "/events", "/members", "/requests", "/bans", "/invites"])
		is(await eve.get(`/api/groups/${id}${path}`), 404, "not-found");
	is(await eve.post(`/api/groups/${id}/join`), 404, "not-found");
	is(await post(eve, id), 404, "not-found");
	is(await ana.post(`/api/groups/${id}/invites`, { profileId: eve.profileId }), 403, "forbidden");
	is(await ana.post(`/api/groups/${id}/invites`, { email: "eve@example.org" }), 403, "forbidden");
	is(await ana.post(`/api/groups/${id}/leave`), 403, "forbidden");
	is(await ana.send("DELETE", `/api/groups/${id}/members/${ben.profileId}`), 403, "forbidden");
	is(await ana.post(`/api/groups/${id}/members/${ben.profileId}/ban`), 403, "forbidden");
	is(await ana.send("PATCH", `/api/groups/${id}/members/${ben.profileId}`, { role: "admin" }), 403, "forbidden");
	is(await ana.send("PATCH", `/api/groups/${id}`, { name: "Ours" }), 403, "forbidden");
	is(await ana.send("PATCH", `/api/groups/${id}`, { isPublic: true }), 403, "forbidden");
	is(await ana.send("DELETE", `/api/groups/${id}`), 403, "forbidden");
	assert.ok(!(await eve.get("/api/groups/public?limit=100")).body.data.some((group: { id: string }) => group.id === id));
});

test("blocked either way: no talk, no message, no invite; lifted, all is as before", async () => {
	const [ana, ben, eve] = await trio();
	const { id } = is(await direct(ana, ben), 200).body;
	const groupId = await groupOf(ana, eve);
	const said = `/api/groups/${id}/messages/${is(await post(ana, id), 201).body.seq}`;
	is(await ben.send("PUT", `/api/blocks/${ana.profileId}`), 200);
	is(await ben.send("PUT", `/api/blocks/${ana.profileId}`), 200);
	const socket = await connect(app.url, ana.accessToken);
	for (const [one, other] of [
		[ana, ben],
		[ben, ana],
	] as const) {
		is(await direct(one, other), 403, "blocked");
		is(await post(one, id), 403, "blocked");
	}
	await assert.rejects(
		say(socket, "message:send", { groupId: id, clientId: randomUUID(), content: "Please" }),
		(error: { problem: { code: string } }) => error.problem.code === "blocked",
	);
	socket.close();
	is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId }), 403, "blocked");
	is(await ana.get(`/api/groups/${id}/messages`), 200);
	is(await ana.send("PATCH", said, { content: "Please" }), 403, "blocked");
	is(await ben.send("PUT", `${said}/reactions/${encodeURIComponent("👍")}`), 403, "blocked");
	is(await ana.send("DELETE", said), 204);
	const listed = (await ben.get("/api/blocks")).body.data;
	assert.partialDeepStrictEqual(listed, [{ profileId: ana.profileId, displayName: "Ana" }]);
	assert.deepEqual((await ana.get("/api/blocks")).body.data, []);
	assert.deepEqual((await callAction(app.broker, "blocks.apart", { profileIds: [eve.profileId, ana.profileId] })).apart, [
		[],
		[ben.profileId],
	]);
	is(await ben.send("DELETE", `/api/blocks/${ana.profileId}`), 204);
	is(await ben.send("DELETE", `/api/blocks/${ana.profileId}`), 204);
	is(await direct(ana, ben), 200);
	is(await post(ana, id), 201);
	const payload = { profileId: ben.profileId, blockedId: ana.profileId };
	for (const name of ["groups.block.added", "groups.block.removed"] as const)
		assert.deepEqual(
			(await told(name, ben.profileId)).map((fact) => fact.payload),
			[payload],
		);
	is(await ben.send("PUT", `/api/blocks/${ben.profileId}`), 422, "validation");
	is(await ben.send("PUT", `/api/blocks/${randomUUID()}`), 404, "not-found");
});

test("between two who are apart no typing and no read mark passes, in a common group either", async () => {
	const [ana, ben, eve] = await trio();
	const groupId = await groupOf(ana, ben, eve);
	is(await post(ana, groupId), 201);
	const sockets = await Promise.all([ana, ben, eve].map(({ accessToken }) => connect(app.url, accessToken)));
	const [anas, bens, eves] = sockets as [(typeof sockets)[0], (typeof sockets)[0], (typeof sockets)[0]];
	const heard = new Map<unknown, string[]>(sockets.map((socket) => [socket, []]));
	for (const socket of sockets) {
		socket.on("signal", ({ type, profileId }) => heard.get(socket)?.push(`${type} ${profileId}`));
		await say(socket, "group:join", { groupId });
	}
	is(await ana.send("PUT", `/api/blocks/${ben.profileId}`), 200);
	await say(anas, "typing", { groupId });
	await say(bens, "read", { groupId, seq: 4 });
	await say(bens, "typing", { groupId });
	await eventually(() =>
		assert.deepEqual(heard.get(eves), [`typing ${ana.profileId}`, `read ${ben.profileId}`, `typing ${ben.profileId}`]),
	);
	assert.deepEqual([heard.get(anas), heard.get(bens)], [[], []]);
	// Who connects later is kept apart from the start.
	const later = await connect(app.url, ana.accessToken);
	later.on("signal", ({ profileId }) => heard.get(anas)?.push(profileId));
	await say(later, "group:join", { groupId });
	await say(eves, "typing", { groupId });
	await say(bens, "read", { groupId, seq: 4 });
	await eventually(() => assert.ok(heard.get(anas)?.includes(eve.profileId)));
	assert.ok(!heard.get(anas)?.includes(ben.profileId));
	for (const socket of [...sockets, later]) socket.close();
});

test("who is gone leaves the talk to the other, who has nobody to talk to; blocks go with them", async () => {
	const [ana, ben, eve] = await trio();
	const { id } = is(await direct(ana, ben), 200).body;
	is(await post(ben, id, "Bye"), 201);
	is(await ben.send("PUT", `/api/blocks/${eve.profileId}`), 200);
	const ofBen = await exported(app.url, ben);
	assert.partialDeepStrictEqual(ofBen["groups.json"].blocks, [{ blockedId: eve.profileId, displayName: "Eve" }]);
	const socket = await connect(app.url, ana.accessToken);
	const heard = listen(socket, `group:${id}`);
	await say(socket, "group:join", { groupId: id });
	is(await ben.send("DELETE", "/api/auth/me", { password: ben.password }), 202);
	await eventually(() => assert.ok(heard.some(({ action }) => action === "left")));
	socket.close();
	await eventually(async () => {
		const [listed] = (await ana.get("/api/groups")).body.data;
		assert.partialDeepStrictEqual(listed, { id, kind: "direct", name: "deleted", peer: null, memberCount: 1 });
	});
	is(await post(ana, id), 410, "gone");
	is(await direct(ana, ben), 404, "not-found");
	const { data } = (await ana.get(`/api/groups/${id}/messages`)).body;
	assert.deepEqual(
		data.map(({ content }: { content: string }) => content),
		["Bye"],
	);
	await eventually(async () =>
		assert.deepEqual((await callAction(app.broker, "blocks.apart", { profileIds: [eve.profileId] })).apart, [[]]),
	);
});
