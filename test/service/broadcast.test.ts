// What operators tell many people at once: who hears it, in what words, once; whatever is broken off.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { tellMany } from "../../services/presence/broadcast/run.ts";
import { crowd } from "../support/crowd.ts";
import type { Person } from "../support/kit.ts";
import { connect, eventually, http, is, listen, person, testApp } from "../support/kit.ts";
import { welcomed } from "../support/notifications.ts";
import { signIn } from "../support/access/callers.ts";

const app = await testApp();
const SEND = "/api/admin/notifications";
const BROADCAST = "/api/admin/notifications/broadcast";
const presence = () => database("presence");

const people = await Promise.all(["Ada", "Ana", "Ben"].map((name) => person(app.url, name)));
const [ada, ana, ben] = people as [Person, Person, Person];
await welcomed(...people);
await database("identity").query("update accounts set role = 'admin' where id = $1", [ada.accountId]);
await signIn(app.url, ada);

const over = (id: string, limit = 30_000) =>
	eventually(async () => {
		const { body } = is(await ada.get(`/api/jobs/${id}`), 200);
		assert.ok(body.state === "done" || body.state === "failed", JSON.stringify(body));
		return body;
	}, limit);
async function say(path: string, body: object, by = ada) {
	const reply = is(await by.post(path, body), 202);
	assert.partialDeepStrictEqual(reply.body, { state: "waiting", done: 0 });
	return over(reply.body.id);
}
const inboxOf = async (who: Person) => {
	const { data } = is(await who.get("/api/notifications?limit=100"), 200).body;
	return data.filter(({ kind }: { kind: string }) => kind === "system");
};
/** How many notifications of this title there are, and of how many profiles. */
async function countOf(title: string): Promise<[number, number]> {
	const [row] = await presence().query<{ all: number; of: number }>(
		`select count(*)::int as "all", count(distinct profile_id)::int as "of" from notifications where title = $1`,
		[title],
	);
	return [row?.all ?? 0, row?.of ?? 0];
}

test("some profiles are told, in the inbox and on their sockets; those that do not exist are passed over", async () => {
	const socket = await connect(app.url, ana.accessToken);
	const heard = listen(socket, `profile:${ana.profileId}`);
	const job = await say(SEND, {
		profileIds: [ana.profileId, ana.profileId, randomUUID()],
		kind: "system",
		title: "Tonight we mend the servers",
		body: "From 22:00.",
		data: { page: "/status", nested: { of: ["anything"] } },
	});
	assert.deepEqual([job.state, job.result], ["done", { recipients: 1, notified: 1 }]);
	const [told] = await inboxOf(ana);
	assert.partialDeepStrictEqual(told, {
		kind: "system",
		title: "Tonight we mend the servers",
		body: "From 22:00.",
		data: { page: "/status", nested: { of: ["anything"] } },
		readAt: null,
	});
	await eventually(() => assert.partialDeepStrictEqual(heard.at(-1), { type: "notification", action: "created", id: told.id }));
	assert.deepEqual(await inboxOf(ben), []);
	socket.close();
});

test("each is told in their own language; who reads none of them, in English", async () => {
	await crowd(3, { language: "ar" });
	await crowd(2, { language: "ku" });
	const texts = { en: { title: "Hello all", body: "b" }, ar: { title: "مرحبًا بالجميع", body: "ب" } };
	const { result } = await say(BROADCAST, { texts });
	assert.deepEqual([await countOf("مرحبًا بالجميع"), (await countOf("Hello all"))[0]], [[3, 3], result.notified - 3]);
	assert.equal(result.recipients, result.notified);
});

test("by role of the account, by kind of the profile, by area; not who may not sign in, nor who came after", async () => {
	await crowd(4, { role: "government", timeZone: "Europe/Lisbon" });
	await crowd(3, { kind: "organization", timeZone: "Europe/Madrid" });
	await crowd(2, { timeZone: "America/Argentina/Salta" });
	for (const state of ["banned", "trashed", "purged"]) await crowd(2, { role: "government", timeZone: "Europe/Lisbon", state });
	const told = async (whom: object, title: string) => (await say(BROADCAST, { ...whom, title, body: "b" })).result.notified;
	assert.equal(await told({ role: "government" }, "r1"), 4);
	assert.equal(await told({ role: "organization" }, "r2"), 3);
	assert.equal(await told({ area: "Europe/Lisbon" }, "a1"), 4);
	assert.equal(await told({ area: "Europe" }, "a2"), 7);
	assert.equal(await told({ area: "America/Argentina" }, "a3"), 2);
	assert.equal(await told({ area: "Asia" }, "a4"), 0);
	assert.equal(await told({ role: "government", area: "America" }, "b1"), 0);
});

test("who does not want to be told of this kind is not", async () => {
	const none = { inApp: false, email: false, push: false };
	is(await ben.send("PUT", "/api/notifications/preferences", { kinds: { system: none } }), 200);
	const job = await say(SEND, { profileIds: [ben.profileId, ana.profileId], title: "Only Ana", body: "b" });
	assert.deepEqual(job.result, { recipients: 2, notified: 1 });
	assert.ok((await inboxOf(ben)).every(({ title }: { title: string }) => title !== "Only Ana"));
});

test("only operators; and what says nothing, or two things, or means nobody, is refused", async () => {
	const said = { title: "t", body: "b" };
	for (const path of [SEND, BROADCAST]) {
		const body = path === SEND ? { profileIds: [ana.profileId], ...said } : said;
		is(await http(app.url, path, { body }), 401, "unauthenticated");
		is(await ana.post(path, body), 403, "forbidden");
	}
	const refused: [string, object][] = [
		[SEND, said],
		[SEND, { profileIds: [], ...said }],
		[SEND, { profileIds: ["x"], ...said }],
		[SEND, { profileIds: [ana.profileId] }],
		[SEND, { profileIds: [ana.profileId], title: "t" }],
		[SEND, { profileIds: [ana.profileId], kind: "welcome", ...said }],
		[SEND, { profileIds: [ana.profileId], ...said, data: { text: "x".repeat(3000) } }],
		[BROADCAST, { body: "b" }],
		[BROADCAST, { title: "t", texts: { en: said } }],
		[BROADCAST, { texts: { pt: said } }],
		[BROADCAST, { texts: { en: said, xx: said } }],
		[BROADCAST, { ...said, title: "" }],
		[BROADCAST, { ...said, title: "x".repeat(201) }],
		[BROADCAST, { ...said, role: "king" }],
		[BROADCAST, { ...said, area: "Atlantis" }],
		[BROADCAST, { ...said, area: "38.7,-9.1" }],
	];
	for (const [path, body] of refused) is(await ada.post(path, body), 422, "validation");
	// The same key is the same broadcast.
	const headers = { "Idempotency-Key": randomUUID() };
	const [one, two] = [
		await ada.post(BROADCAST, { ...said, title: "Once" }, headers),
		await ada.post(BROADCAST, { ...said, title: "Once" }, headers),
	];
	assert.equal(is(one, 202).body.id, is(two, 202).body.id);
	await over(one.body.id);
	const [all, of] = await countOf("Once");
	assert.equal(all, of);
});

test("two broadcasts at once: everybody has both, once each, in rooms without a gap", async () => {
	const ids = await crowd(1_200);
	const started = await Promise.all(["First", "Second"].map((title) => ada.post(BROADCAST, { title, body: "b" })));
	const jobs = await Promise.all(started.map(({ body }) => over(body.id)));
	for (const [index, title] of ["First", "Second"].entries()) {
		const { recipients, notified } = jobs[index].result;
		assert.equal(recipients, notified + 1, "all but Ben, who wants nothing");
		assert.deepEqual(await countOf(title), [notified, notified]);
	}
	const rooms = await presence().query<{ n: number; head: number }>(
		"select count(*)::int as n, max(seq)::int as head from room_events where room = any($1::uuid[]) group by room",
		[ids],
	);
	assert.equal(rooms.length, ids.length);
	assert.ok(rooms.every(({ n, head }) => n === head && n >= 2));
});

test("broken off in the middle, it goes on where it was, tells how far it is, and tells nobody twice", async () => {
	const ids = await crowd(1_000);
	const id = randomUUID();
	const stop = new AbortController();
	const told: number[] = [];
	const broadcast = {
		texts: { en: { title: "Broken", body: "b" } },
		data: {},
		whom: { profileIds: ids },
		before: new Date().toISOString(),
	};
	const tools = {
		...{ id, at: new Date(), db: presence(), cause: { requestId: null, actor: null }, broker: app.broker },
		progress: async (done: number) => {
			told.push(done);
			stop.abort();
		},
	};
	await assert.rejects(tellMany(broadcast, { ...tools, signal: stop.signal }));
	assert.deepEqual(await countOf("Broken"), [500, 500]);
	// One transaction with what it told: as after a crash at the worst moment, the place alone is lost.
	await presence().query("update broadcasts set after = null, done = 0, told = 0 where id = $1", [id]);
	const again = { ...tools, signal: new AbortController().signal };
	assert.deepEqual(await tellMany(broadcast, again), { recipients: 1_000, notified: 500 });
	assert.deepEqual(await countOf("Broken"), [1_000, 1_000]);
	assert.deepEqual(await tellMany(broadcast, again), { recipients: 1_000, notified: 500 }, "nothing is left to do");
	assert.deepEqual(await countOf("Broken"), [1_000, 1_000]);
});
