// Groups as clients see them: who may what, lists, invites, the log, edits and deletions, read marks.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Person } from "../../support/kit.ts";
import { connect, eventually, is, listen, person, say, testApp } from "../../support/kit.ts";

const app = await testApp();
const [ana, ben, eve] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben"), person(app.url, "Eve")]);

/** Ana's group, with Ben in it. */
async function anasGroup({ isPublic = true, withBen = true } = {}): Promise<string> {
	const { body } = await ana.post("/api/groups", { name: `Group ${randomUUID().slice(0, 4)}`, isPublic });
	if (withBen) {
		const invited = await ana.post(`/api/groups/${body.id}/invites`, { profileId: ben.profileId });
		assert.equal((await ben.post(`/api/invites/${invited.body.id}/accept`)).status, 200);
	}
	return body.id;
}
const write = (by: Person, groupId: string, content: string, more = {}) =>
	by.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), kind: "text", content, ...more });

test("a stranger's private group is the same 404 as one that never was, whatever is asked of it", async () => {
	const groupId = await anasGroup({ isPublic: false });
	const never = randomUUID();
	for (const [method, path, body] of [
		["GET", "", undefined],
		["PATCH", "", { name: "Mine" }],
		["DELETE", "", undefined],
		["GET", "/members", undefined],
		["GET", "/messages", undefined],
		["GET", "/events", undefined],
		["GET", "/messages/1", undefined],
		["POST", "/messages", { clientId: "x", kind: "text", content: "hello" }],
		["PUT", "/read", { seq: 1 }],
		["POST", "/invites", { profileId: ben.profileId }],
	] as const) {
		const [theirs, none] = [
			await eve.send(method, `/api/groups/${groupId}${path}`, body),
			await eve.send(method, `/api/groups/${never}${path}`, body),
		];
		is(theirs, 404, "not-found");
		const strip = ({ requestId: _id, instance: _instance, ...rest }: Record<string, unknown>) => rest;
		assert.deepEqual(strip(theirs.body), strip(none.body));
	}
	const socket = await connect(app.url, eve.accessToken);
	await assert.rejects(
		say(socket, "group:join", { groupId }),
		(error: Error & { problem: { status: number } }) => error.problem.status === 404,
	);
	socket.disconnect();
});

test("in a public group a stranger sees the group, and nothing of what is said in it", async () => {
	const groupId = await anasGroup();
	const shown = await eve.get(`/api/groups/${groupId}`);
	assert.deepEqual([shown.status, shown.body.role, shown.body.memberCount], [200, null, 2]);
	for (const path of ["messages", "events", "members"]) is(await eve.get(`/api/groups/${groupId}/${path}`), 403, "not-member");
	is(await write(eve, groupId, "hello"), 403, "not-member");
});

test("asking to join a private group by its id is a request, and changes nothing that one can see", async () => {
	const groupId = await anasGroup({ isPublic: false });
	const asked = await eve.post(`/api/groups/${groupId}/join`);
	assert.deepEqual([asked.status, asked.body.state], [200, "requested"]);
	is(await eve.get(`/api/groups/${groupId}`), 404, "not-found");
	is(await eve.post(`/api/groups/${randomUUID()}/join`), 404, "not-found");
});

test("an invite is seen by the invitee, open once, answered once, by nobody else, and runs out", async () => {
	const groupId = await anasGroup({ withBen: false });
	const invited = await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId, role: "moderator" });
	assert.equal(invited.status, 201);
	const again = await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId });
	is(again, 409, "already-invited");
	assert.equal(again.body.inviteId, invited.body.id);
	assert.ok(
		(await ben.get("/api/invites")).body.data.some(
			(row: { id: string; token: string }) => row.id === invited.body.id && row.token === invited.body.token,
		),
	);
	is(await eve.post(`/api/invites/${invited.body.id}/accept`), 404, "not-found");
	is(await eve.post("/api/invites/accept", { token: invited.body.token }), 404, "not-found");
	const accepted = await ben.post("/api/invites/accept", { token: invited.body.token });
	assert.deepEqual([accepted.status, accepted.body.state], [200, "accepted"]);
	assert.equal((await ben.get(`/api/groups/${groupId}`)).body.role, "moderator");
	is(await ben.post(`/api/invites/${invited.body.id}/decline`), 409, "wrong-state");
	is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId }), 409, "already-member");
	is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: randomUUID() }), 404, "not-found");

	const brief = await ana.post(`/api/groups/${groupId}/invites`, { profileId: eve.profileId, expiresInSeconds: 1 });
	const stateOf = async (id: string) =>
		(await ana.get(`/api/groups/${groupId}/invites`)).body.data.find((row: { id: string }) => row.id === id).state;
	await eventually(async () => assert.equal(await stateOf(brief.body.id), "expired"));
	is(await eve.post(`/api/invites/${brief.body.id}/accept`), 410, "expired");
	assert.equal((await ana.post(`/api/groups/${groupId}/invites`, { profileId: eve.profileId })).status, 201);
});

test("a kicked member hears the kick and not one message after it, and may be invited again", async () => {
	const groupId = await anasGroup();
	const socket = await connect(app.url, ben.accessToken);
	const heard = listen(socket, `group:${groupId}`);
	await say(socket, "group:join", { groupId });
	const writing = Promise.all(Array.from({ length: 20 }, (_, n) => write(ana, groupId, `before or after ${n}`)));
	is(await ana.send("DELETE", `/api/groups/${groupId}/members/${ben.profileId}`), 204, undefined);
	await writing;
	await write(ana, groupId, "he is gone");
	const kick = await eventually(() => {
		const event = heard.find((one) => one.type === "member" && one.action === "kicked");
		assert.ok(event);
		return event;
	});
	await assert.rejects(
		say(socket, "resume", { rooms: { [`group:${groupId}`]: 0 } }).then(({ rooms }) =>
			Promise.reject(Object.assign(new Error("refused"), rooms[`group:${groupId}`])),
		),
		(error: Error & { error?: { status: number } }) => error.error?.status === 403,
	);
	assert.ok(
		heard.every((event) => event.seq <= kick.seq),
		"heard something after the kick",
	);
	is(await ben.get(`/api/groups/${groupId}/messages`), 403, "not-member");
	assert.equal((await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId })).status, 201);
	socket.disconnect();
});

test("ranks hold: moderators do not touch admins, members touch nobody, the last admin names a successor", async () => {
	const groupId = await anasGroup();
	is(await ben.send("DELETE", `/api/groups/${groupId}/members/${ana.profileId}`), 403, "forbidden");
	is(await ben.send("PATCH", `/api/groups/${groupId}`, { name: "Ben's" }), 403, "forbidden");
	const raised = await ana.send("PATCH", `/api/groups/${groupId}/members/${ben.profileId}`, { role: "moderator" });
	assert.deepEqual([raised.status, raised.body.role], [200, "moderator"]);
	is(await ben.send("DELETE", `/api/groups/${groupId}/members/${ana.profileId}`), 403, "rank");
	is(await ana.post(`/api/groups/${groupId}/leave`), 409, "last-admin");
	is(await ana.post(`/api/groups/${groupId}/leave`, { successorId: ben.profileId }), 204, undefined);
	assert.equal((await ben.get(`/api/groups/${groupId}`)).body.role, "admin");
	is(await ben.post(`/api/groups/${groupId}/leave`), 204, undefined);
	is(await ben.get(`/api/groups/${groupId}`), 404, "not-found");
});

test("edits and deletions are numbered events; the message shows its present state, and a tombstone keeps its place", async () => {
	const groupId = await anasGroup();
	const { body: message } = await write(ben, groupId, "frist");
	is(await ana.send("PATCH", `/api/groups/${groupId}/messages/${message.seq}`, { content: "not yours" }), 403, "forbidden");
	const edited = await ben.send("PATCH", `/api/groups/${groupId}/messages/${message.seq}`, { content: "first" });
	assert.deepEqual(
		[edited.status, edited.body.content, edited.body.seq, edited.body.eventSeq],
		[200, "first", message.seq, message.seq + 1],
	);
	is(await ana.send("DELETE", `/api/groups/${groupId}/messages/${message.seq}`), 204, undefined);
	const shown = await ben.get(`/api/groups/${groupId}/messages/${message.seq}`);
	assert.equal(shown.body.content, null);
	assert.ok(shown.body.deletedAt);
	is(await ben.send("PATCH", `/api/groups/${groupId}/messages/${message.seq}`, { content: "back" }), 409, "deleted");
	is(await ana.send("DELETE", `/api/groups/${groupId}/messages/9999`), 404, "not-found");
	const { body: log } = await ben.get(`/api/groups/${groupId}/events?after=${message.seq - 1}`);
	assert.deepEqual(
		log.data.map((event: { seq: number; type: string; target?: number }) => [event.seq, event.type, event.target]),
		[
			[message.seq, "message", undefined],
			[message.seq + 1, "edited", message.seq],
			[message.seq + 2, "deleted", message.seq],
		],
	);
	assert.doesNotMatch(JSON.stringify(log), /frist|first/, "the text of a deleted message is still in the log");
	const repeated = await ben.post(`/api/groups/${groupId}/messages`, { clientId: message.clientId, kind: "text", content: "again" });
	assert.deepEqual([repeated.status, repeated.body.seq, repeated.body.id], [200, message.seq, message.id]);
});

test("reactions are counted, once per person and emoji", async () => {
	const groupId = await anasGroup();
	const { body: message } = await write(ana, groupId, "look");
	const path = `/api/groups/${groupId}/messages/${message.seq}/reactions/${encodeURIComponent("♻️")}`;
	for (const someone of [ana, ben, ben]) assert.equal((await someone.send("PUT", path)).status, 200);
	assert.deepEqual((await ana.get(`/api/groups/${groupId}/messages/${message.seq}`)).body.reactions, [
		{ emoji: "♻️", count: 2, mine: true },
	]);
	assert.equal((await ben.send("DELETE", path)).status, 204);
	assert.deepEqual((await ben.get(`/api/groups/${groupId}/messages/${message.seq}`)).body.reactions, [
		{ emoji: "♻️", count: 1, mine: false },
	]);
});

test("unread counts the undeleted messages of others after the mark, and the mark never goes back", async () => {
	const groupId = await anasGroup();
	const unread = async (who: Person) => (await who.get(`/api/groups/${groupId}`)).body.unread;
	assert.deepEqual([await unread(ana), await unread(ben)], [0, 0]);
	const first = (await write(ana, groupId, "one")).body.seq;
	await write(ana, groupId, "two");
	const mine = (await write(ben, groupId, "mine")).body.seq;
	assert.deepEqual([await unread(ana), await unread(ben)], [1, 2]);
	await ana.send("DELETE", `/api/groups/${groupId}/messages/${first}`);
	assert.equal(await unread(ben), 1);
	assert.equal((await ben.get("/api/groups")).body.data.find((group: { id: string }) => group.id === groupId).unread, 1);
	assert.deepEqual((await ben.send("PUT", `/api/groups/${groupId}/read`, { seq: mine })).body, { groupId, seq: mine, unread: 0 });
	assert.deepEqual((await ben.send("PUT", `/api/groups/${groupId}/read`, { seq: 1 })).body, { groupId, seq: mine, unread: 0 });
	is(await ben.send("PUT", `/api/groups/${groupId}/read`, { seq: 9999 }), 422, "validation");
	await write(ana, groupId, "three");
	assert.equal(await unread(ben), 1);
});

test("pages of messages go both ways from any seq, without a gap or a repetition", async () => {
	const groupId = await anasGroup();
	const seqs: number[] = [];
	for (let n = 0; n < 25; n++) seqs.push((await write(n % 2 ? ana : ben, groupId, `message ${n}`)).body.seq);
	const walk = async (path: string) => {
		const pages: number[][] = [];
		for (let cursor: string | null = ""; cursor !== null; ) {
			const { status, body } = await ana.get(`${path}${cursor && `&cursor=${cursor}`}`);
			assert.equal(status, 200);
			pages.push(body.data.map((message: { seq: number }) => message.seq));
			cursor = body.nextCursor;
		}
		return pages;
	};
	const base = `/api/groups/${groupId}/messages`;
	const back = await walk(`${base}?limit=10`);
	assert.deepEqual(
		back.map((page) => page.length),
		[10, 10, 5],
	);
	assert.deepEqual([...back].reverse().flat(), seqs);
	assert.deepEqual((await walk(`${base}?limit=10&after=0`)).flat(), seqs);
	assert.deepEqual(
		(await ana.get(`${base}?limit=3&before=${seqs[10]}`)).body.data.map((message: { seq: number }) => message.seq),
		seqs.slice(7, 10),
	);
	const around = (await ana.get(`${base}?limit=5&around=${seqs[10]}`)).body.data.map((message: { seq: number }) => message.seq);
	assert.deepEqual(around, seqs.slice(8, 13));
	is(await ana.get(`${base}?before=9&after=2`), 422, "validation");
	assert.deepEqual((await walk(`${base}?limit=10&around=${seqs[3]}`)).flat(), seqs);
	is(await ana.get(`${base}?limit=0`), 422, "validation");
	is(await ana.get(`${base}?limit=101`), 422, "validation");
	is(await ana.get(`${base}?cursor=nonsense`), 400, "bad-cursor");
});

test("my groups, public groups and members come in pages that are stable under writes", async () => {
	const cem = await person(app.url, "Cem");
	const ids: string[] = [];
	for (let n = 0; n < 5; n++) ids.unshift((await cem.post("/api/groups", { name: `Cem ${n}`, isPublic: true })).body.id);
	const first = (await cem.get("/api/groups?limit=2")).body;
	await cem.post("/api/groups", { name: "Later", isPublic: true });
	const second = (await cem.get(`/api/groups?limit=2&cursor=${first.nextCursor}`)).body;
	const third = (await cem.get(`/api/groups?limit=2&cursor=${second.nextCursor}`)).body;
	assert.deepEqual(
		[...first.data, ...second.data, ...third.data].map((group) => group.id),
		ids,
	);
	assert.equal(third.nextCursor, null);
	const offered = (await eve.get("/api/groups/public?limit=100")).body.data.map((group: { id: string }) => group.id);
	for (const id of ids) assert.ok(offered.includes(id));
	assert.ok(!(await cem.get("/api/groups/public?limit=100")).body.data.some((group: { id: string }) => ids.includes(group.id)));
	const members = (await ana.get(`/api/groups/${await anasGroup()}/members?limit=1`)).body;
	assert.deepEqual(
		members.data.map((member: { displayName: string; role: string }) => [member.displayName, member.role]),
		[["Ana", "admin"]],
	);
	assert.ok(members.nextCursor);
});

test("an Idempotency-Key makes one group of two requests, byte for byte, and refuses another body", async () => {
	const key = { "Idempotency-Key": randomUUID() };
	const body = { name: "Once", isPublic: true };
	const [one, two] = [await ana.post("/api/groups", body, key), await ana.post("/api/groups", body, key)];
	assert.deepEqual([one.status, two.status], [201, 201]);
	assert.deepEqual(two.body, one.body);
	assert.equal(one.headers.get("idempotent-replayed"), null);
	assert.equal(two.headers.get("idempotent-replayed"), "true");
	is(await ana.post("/api/groups", { ...body, name: "Twice" }, key), 422, "idempotency-key-reused");
	assert.equal((await ben.post("/api/groups", body, key)).status, 201, "another caller's key is another key");
	const at = await Promise.all(
		Array.from({ length: 10 }, () =>
			ana.post("/api/groups", { name: "At once", isPublic: true }, { "Idempotency-Key": `at-once-${key["Idempotency-Key"]}` }),
		),
	);
	assert.ok(at.every((reply) => reply.status === 201 || reply.status === 409));
	assert.equal(new Set(at.filter((reply) => reply.status === 201).map((reply) => reply.body.id)).size, 1);
	const message = { clientId: randomUUID(), kind: "text", content: "keyed" };
	const groupId = one.body.id;
	const keyed = { "Idempotency-Key": `m-${key["Idempotency-Key"]}` };
	const [sent, resent] = [
		await ana.post(`/api/groups/${groupId}/messages`, message, keyed),
		await ana.post(`/api/groups/${groupId}/messages`, message, keyed),
	];
	assert.equal(sent.status, 201);
	assert.deepEqual(resent.body, sent.body);
});
