// One account, several faces: through the doors, as clients see it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { Socket } from "socket.io-client";
import type { Person, Reply } from "../../support/kit.ts";
import { connect, eventually, groupOf, http, is, listen, person, say, testApp } from "../../support/kit.ts";

const app = await testApp();

/** The same person as another of their profiles. */
async function as(who: Person, profileId: string, displayName: string): Promise<Person> {
	const { body } = is(await who.post("/api/auth/switch-profile", { profileId }), 200);
	const { accessToken, refreshToken } = body.tokens;
	const get = (path: string) => http(app.url, path, { token: accessToken });
	const send: Person["send"] = (method, path, content, headers = {}) =>
		http(app.url, path, { method, token: accessToken, body: content, headers });
	const post: Person["post"] = (path, content = {}, headers = {}) => send("POST", path, content, headers);
	return { ...who, profileId, displayName, accessToken, refreshToken, get, send, post };
}

/** Somebody, and their shop, signed in at once: two sessions of one account. */
async function two(name: string): Promise<{ me: Person; shop: Person }> {
	const me = await person(app.url, name);
	const made = is(await me.post("/api/profiles", { displayName: `${name}'s shop`, kind: "organization" }), 201);
	const { body } = await http(app.url, "/api/auth/login", { body: { email: me.email, password: me.password } });
	const elsewhere = {
		...me,
		post: (path: string, content: unknown) => http(app.url, path, { token: body.tokens.accessToken, body: content }),
	};
	return { me, shop: await as(elsewhere as Person, made.body.id, made.body.displayName) };
}

const members = async (who: Person, groupId: string): Promise<Record<string, string>> =>
	Object.fromEntries(
		(await who.get(`/api/groups/${groupId}/members`)).body.data.map((one: { displayName: string; role: string }) => [
			one.displayName,
			one.role,
		]),
	);
const write = (who: Person, groupId: string, content: string): Promise<Reply> =>
	who.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), kind: "text", content });
const farewell = (socket: Socket) =>
	new Promise<unknown>((resolve) => socket.once("bye", resolve).once("disconnect", () => resolve("no word")));

describe("profiles over HTTP", () => {
	test("are made, shown, changed and deleted", async () => {
		const me = await person(app.url, "Ana");
		const made = is(await me.post("/api/profiles", { displayName: "Ana's shop", kind: "organization" }), 201);
		const { id } = made.body;
		assert.deepEqual(made.body, { id, displayName: "Ana's shop", kind: "organization" });
		assert.equal(made.headers.get("location"), `/api/profiles/${id}`);
		assert.equal(is(await me.get("/api/profiles/me"), 200).body.id, me.profileId);
		assert.deepEqual(is(await me.get(`/api/profiles/${id}`), 200).body, made.body);
		const changed = is(await me.send("PATCH", `/api/profiles/${id}`, { bio: "We mend." }), 200);
		assert.deepEqual(changed.body, { ...made.body, bio: "We mend." });
		assert.deepEqual(
			(await me.get("/api/profiles")).body.data.map((one: { id: string }) => one.id),
			[me.profileId, id],
		);
		is(await me.send("DELETE", `/api/profiles/${me.profileId}`), 409, "active-profile");
		is(await me.send("DELETE", `/api/profiles/${id}`), 204);
		is(await me.send("DELETE", `/api/profiles/${id}`), 404, "not-found");
		is(await me.send("DELETE", `/api/profiles/${me.profileId}`), 409, "last-profile");
	});

	test("take nothing that is not theirs to give: no role, no account, no id, no other kind", async () => {
		const { me, shop } = await two("Mass");
		const good = { displayName: "More", kind: "consumer" };
		const extras = {
			id: randomUUID(),
			accountId: randomUUID(),
			role: "admin",
			roles: ["admin"],
			scopes: ["ops:read"],
			state: "active",
			email: "x@y.z",
		};
		for (const [name, value] of Object.entries(extras)) {
			is(await me.post("/api/profiles", { ...good, [name]: value }), 422, "validation");
			is(await me.send("PATCH", `/api/profiles/${me.profileId}`, { displayName: "More", [name]: value }), 422, "validation");
			is(await me.post("/api/auth/switch-profile", { profileId: shop.profileId, [name]: value }), 422, "validation");
		}
		for (const name of ["kind", "profileId", "createdAt", "__proto__"])
			is(await me.send("PATCH", `/api/profiles/${me.profileId}`, `{"${name}":"organization"}`), 422, "validation");
		assert.equal((await me.get("/api/profiles")).body.data.length, 2);
		assert.deepEqual((await me.get("/api/profiles/me")).body, { id: me.profileId, displayName: "Mass", kind: "consumer" });
	});

	test("refuse an employee, what is no kind, and names that are none", async () => {
		const me = await person(app.url, "Ana");
		for (const kind of ["employee", "admin", "", null, 7, undefined])
			is(await me.post("/api/profiles", { displayName: "More", kind }), 422, "validation");
		for (const displayName of ["", "   ", "x".repeat(61), "a\u0000b", null, { $ne: "" }, undefined])
			is(await me.post("/api/profiles", { displayName, kind: "consumer" }), 422, "validation");
		for (const change of [
			{ displayName: "" },
			{ displayName: null },
			{ bio: "x".repeat(501) },
			{ bio: 1 },
			{ avatar: "x.png" },
			{ avatar: "" },
		])
			is(await me.send("PATCH", `/api/profiles/${me.profileId}`, change), 422, "validation");
		for (const query of ["q=", "q=%20", "q=a&q=b", "kind=admin", "limit=0", "limit=101", `q=${"x".repeat(101)}`, "q=%00", "x=1"])
			is(await me.get(`/api/profiles?${query}`), 422, "validation");
		is(await me.get("/api/profiles?q=a&cursor=nonsense"), 400, "bad-cursor");
		is(await me.get("/api/profiles/not-an-id"), 404, "not-found");
	});

	test("are nothing to a stranger but their public part, and to nobody without a token", async () => {
		const { me, shop } = await two("Own");
		const stranger = await person(app.url, "Stranger");
		const path = `/api/profiles/${shop.profileId}`;
		is(await stranger.get(path), 200);
		is(await stranger.send("PATCH", path, { displayName: "Mine" }), 404, "not-found");
		is(await stranger.send("DELETE", path), 404, "not-found");
		is(await stranger.post("/api/auth/switch-profile", { profileId: shop.profileId }), 404, "not-found");
		for (const [method, at, body] of [
			["GET", "/api/profiles"],
			["GET", "/api/profiles?q=own"],
			["GET", "/api/profiles/me"],
			["GET", path],
			["POST", "/api/profiles", { displayName: "x", kind: "consumer" }],
			["PATCH", path, { displayName: "x" }],
			["DELETE", path],
			["POST", "/api/auth/switch-profile", { profileId: me.profileId }],
		] as const)
			is(await http(app.url, at, { method, body }), 401, "unauthenticated");
		is(await me.send("PATCH", path, { displayName: "Own's other shop" }), 200);
	});

	test("are found by name, without e-mail addresses", async () => {
		const name = `Zoë ${randomUUID().slice(0, 8)}`;
		const zoe = await person(app.url, name);
		const seeker = await person(app.url, "Seeker");
		const { body } = is(await seeker.get(`/api/profiles?q=${encodeURIComponent(name.toUpperCase().replace("Ë", "E"))}`), 200);
		assert.deepEqual(body, { data: [{ id: zoe.profileId, displayName: name, kind: "consumer" }], nextCursor: null });
		assert.deepEqual((await seeker.get(`/api/profiles?q=${encodeURIComponent(zoe.email)}`)).body.data, []);
	});
});

describe("two profiles of one account in one group", () => {
	test("are two people: each is present, writes as itself, has its own unread count, read mark and XP", async () => {
		const { me, shop } = await two("Ida");
		const watcher = await person(app.url, "Watcher");
		const groupId = await groupOf(me, shop, watcher);
		const room = `group:${groupId}`;
		assert.deepEqual(await members(watcher, groupId), { Ida: "admin", "Ida's shop": "member", Watcher: "member" });

		const [mine, theirs, watching] = await Promise.all([me, shop, watcher].map((who) => connect(app.url, who.accessToken)));
		const heard = listen(watching as Socket, room);
		const xp = { mine: listen(mine as Socket, `profile:${me.profileId}`), theirs: listen(theirs as Socket, `profile:${shop.profileId}`) };
		for (const socket of [mine, theirs, watching]) await say(socket as Socket, "group:join", { groupId });
		await eventually(async () => {
			const { online } = await say(watching as Socket, "presence:subscribe", { groupId });
			const ids = online.map(({ profileId }: { profileId: string }) => profileId);
			for (const who of [me, shop]) assert.ok(ids.includes(who.profileId));
		});

		const send = (socket: Socket, content: string) =>
			say(socket, "message:send", { groupId, clientId: "same for both", kind: "text", content });
		const first = await send(mine as Socket, "from me");
		const second = await send(theirs as Socket, "from the shop");
		assert.deepEqual([first.replayed, second.replayed, second.seq], [false, false, first.seq + 1]);
		await eventually(() =>
			assert.deepEqual(
				heard.map(({ by, message }) => [by.profileId, by.displayName, message.content]),
				[
					[me.profileId, "Ida", "from me"],
					[shop.profileId, "Ida's shop", "from the shop"],
				],
			),
		);

		const unread = async (who: Person) => (await who.get(`/api/groups/${groupId}`)).body.unread;
		assert.deepEqual([await unread(me), await unread(shop), await unread(watcher)], [1, 1, 2]);
		await say(mine as Socket, "read", { groupId, seq: second.seq });
		assert.deepEqual([await unread(me), await unread(shop)], [0, 1]);

		is(await shop.send("PATCH", `/api/groups/${groupId}/messages/${first.seq}`, { content: "changed" }), 403, "forbidden");
		is(await shop.send("PATCH", `/api/groups/${groupId}`, { name: "Taken over" }), 403, "forbidden");
		await write(shop, groupId, "one more");
		for (const [who, total, own] of [
			[me, 5, xp.mine],
			[shop, 10, xp.theirs],
		] as const) {
			await eventually(async () => assert.equal((await who.get("/api/gamification/points/me")).body.xp, total));
			await eventually(() => assert.equal(own.filter(({ type }) => type === "xp").at(-1)?.total, total));
		}
		const own = `profile:${me.profileId}`;
		const { rooms } = await say(theirs as Socket, "resume", { rooms: { [own]: 0 } });
		assert.equal(rooms[own].error.status, 404);

		// One goes, the other stays.
		(theirs as Socket).close();
		await eventually(async () => {
			const { body } = await watcher.get(`/api/presence?ids=${me.profileId},${shop.profileId}`);
			assert.deepEqual(
				body.data.map(({ status }: { status: string }) => status),
				["online", "offline"],
			);
		}, 6_000);
		is(await shop.post(`/api/groups/${groupId}/leave`), 204);
		assert.deepEqual(await members(watcher, groupId), { Ida: "admin", Watcher: "member" });
		for (const socket of [mine, watching]) (socket as Socket).close();
	});

	test("keep their Idempotency-Keys apart", async () => {
		const { me, shop } = await two("Key");
		const key = { "Idempotency-Key": randomUUID() };
		const [one, other] = [
			await me.post("/api/groups", { name: "Same", isPublic: true }, key),
			await shop.post("/api/groups", { name: "Same", isPublic: true }, key),
		];
		assert.deepEqual([one.status, other.status], [201, 201]);
		assert.notEqual(one.body.id, other.body.id);
	});
});

describe("a socket", () => {
	test("keeps the profile of its token when its session goes on as another, until it connects anew", async () => {
		const me = await person(app.url, "Cem");
		const { body: made } = await me.post("/api/profiles", { displayName: "Cem's shop", kind: "organization" });
		const groupId = await groupOf(me);
		const socket = await connect(app.url, me.accessToken);
		const shop = await as(me, made.id, made.displayName);
		await say(socket, "group:join", { groupId });
		const sent = await say(socket, "message:send", { groupId, clientId: "1", kind: "text", content: "still me" });
		assert.deepEqual((await me.get(`/api/groups/${groupId}/messages/${sent.seq}`)).body.by, {
			profileId: me.profileId,
			displayName: "Cem",
		});
		await assert.rejects(say(socket, "token:refresh", { token: shop.accessToken }), (error) => {
			assert.equal((error as { problem: { code: string } }).problem.code, "forbidden");
			return true;
		});
		const anew = await connect(app.url, shop.accessToken);
		await assert.rejects(say(anew, "group:join", { groupId }), (error) => {
			assert.equal((error as { problem: { code: string } }).problem.code, "not-member");
			return true;
		});
		for (const one of [socket, anew]) one.close();
	});
});

describe("a profile that is renamed", () => {
	test("is called so by its groups, in what it wrote and writes, also with a token that says otherwise", async () => {
		const { me, shop } = await two("Dia");
		const watcher = await person(app.url, "Watcher");
		const groupId = await groupOf(watcher, shop);
		const { body: old } = await write(shop, groupId, "before");
		assert.equal(old.by.displayName, "Dia's shop");
		is(await me.send("PATCH", `/api/profiles/${shop.profileId}`, { displayName: "Dia Repairs" }), 200);
		await eventually(async () => assert.deepEqual(await members(watcher, groupId), { Watcher: "admin", "Dia Repairs": "member" }), 2_000);
		const { body: page } = await watcher.get(`/api/groups/${groupId}/messages`);
		assert.equal(page.data[0].by.displayName, "Dia Repairs");
		assert.equal((await write(shop, groupId, "after")).body.by.displayName, "Dia Repairs");
		const later = await groupOf(watcher, shop);
		assert.deepEqual(await members(watcher, later), { Watcher: "admin", "Dia Repairs": "member" });
		const own = await groupOf(shop);
		assert.deepEqual(await members(shop, own), { "Dia Repairs": "admin" });
		const { body: log } = await watcher.get(`/api/groups/${groupId}/events?after=${old.seq - 1}`);
		assert.deepEqual(
			log.data.map(({ by }: { by: { displayName: string } }) => by.displayName),
			["Dia's shop", "Dia Repairs"],
		);
	});
});

describe("a profile that is deleted", () => {
	test("is out at once: its tokens, its sockets; and leaves nothing behind in groups, presence and points", async () => {
		const { me, shop } = await two("Eva");
		const [watcher, friend] = await Promise.all([person(app.url, "Watcher"), person(app.url, "Friend")]);
		const led = await groupOf(shop, watcher, friend);
		const alone = await groupOf(shop);
		const joined = await groupOf(watcher, shop, me);
		const { body: asked } = await watcher.post("/api/groups", { name: "Private", isPublic: false });
		is(await shop.post(`/api/groups/${asked.id}/join`), 200);
		const invite = is(await watcher.post(`/api/groups/${asked.id}/invites`, { profileId: shop.profileId }), 201).body;
		const { body: message } = await write(shop, joined, "I was here");
		const socket = await connect(app.url, shop.accessToken);
		const mine = await connect(app.url, me.accessToken);
		const [bye, kept] = [farewell(socket), farewell(mine)];
		await eventually(async () => assert.equal((await watcher.get(`/api/presence?ids=${shop.profileId}`)).body.data[0].status, "online"));

		is(await me.send("DELETE", `/api/profiles/${shop.profileId}`), 204);
		assert.deepEqual(await bye, { reason: "revoked" });
		is(await shop.get("/api/auth/me"), 401, "invalid-token");
		is(await http(app.url, "/api/auth/refresh", { body: { refreshToken: shop.refreshToken } }), 401, "invalid-token");
		await assert.rejects(connect(app.url, shop.accessToken));

		await eventually(async () => {
			assert.deepEqual(await members(watcher, joined), { Watcher: "admin", Eva: "member" });
			assert.deepEqual(await members(watcher, led), { Watcher: "admin", Friend: "member" });
			is(await watcher.get(`/api/groups/${alone}`), 404, "not-found");
		}, 2_000);
		const { body: left } = await watcher.get(`/api/groups/${joined}/messages/${message.seq}`);
		assert.deepEqual([left.content, left.by.profileId], ["I was here", shop.profileId]);
		const { body: invites } = await watcher.get(`/api/groups/${asked.id}/invites`);
		assert.deepEqual([invites.data[0].id, invites.data[0].state], [invite.id, "revoked"]);
		is(await watcher.post(`/api/groups/${asked.id}/invites`, { profileId: shop.profileId }), 404, "not-found");
		is(await watcher.get(`/api/profiles/${shop.profileId}`), 404, "not-found");
		is(await watcher.get(`/api/gamification/points/${shop.profileId}`), 404, "not-found");
		await eventually(async () => {
			const { body } = await watcher.get(`/api/presence?ids=${shop.profileId}`);
			assert.deepEqual(body.data, [{ profileId: shop.profileId, status: "offline", lastSeen: null }]);
		}, 6_000);
		assert.equal(mine.connected, true);
		mine.close();
		assert.equal(await kept, "no word");
	});

	test("is out also where its session has gone on as another", async () => {
		const me = await person(app.url, "Fay");
		const { body: made } = await me.post("/api/profiles", { displayName: "Fay's shop", kind: "organization" });
		const shop = await as(me, made.id, made.displayName);
		const socket = await connect(app.url, shop.accessToken);
		const bye = farewell(socket);
		const back = await as(shop, me.profileId, "Fay");
		is(await back.send("DELETE", `/api/profiles/${made.id}`), 204);
		assert.deepEqual(await bye, { reason: "revoked" });
		is(await shop.get("/api/profiles/me"), 401, "invalid-token");
		is(await back.get("/api/profiles/me"), 200);
		is(await http(app.url, "/api/auth/refresh", { body: { refreshToken: back.refreshToken } }), 200);
	});

	test("joins nothing while it goes: a hundred joins at that moment leave no member behind", async () => {
		const { me, shop } = await two("Gus");
		const host = await person(app.url, "Host");
		const groupIds = await Promise.all(Array.from({ length: 20 }, () => groupOf(host)));
		const joins = Array.from({ length: 100 }, (_, at) => shop.post(`/api/groups/${groupIds[at % 20]}/join`));
		const [deleted, ...replies] = await Promise.all([me.send("DELETE", `/api/profiles/${shop.profileId}`), ...joins]);
		is(deleted, 204);
		for (const reply of replies) assert.ok([200, 401].includes(reply.status), JSON.stringify(reply.body));
		await eventually(async () => {
			for (const groupId of groupIds) assert.deepEqual(await members(host, groupId), { Host: "admin" });
		}, 3_000);
	});
});
