// The rights of persons, as stories: everything that is kept of somebody in one archive, and to be forgotten by every node.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { exported, ended, fetchArchive, unzip } from "../../support/archive.ts";
import type { Person } from "../../support/kit.ts";
import { uploadOf } from "../../support/pictures.ts";
import { connect, eventually, groupOf, http, is, listen, person, say, testApp } from "../../support/kit.ts";

const app = await testApp();
const NOBODY = { profileId: "00000000-0000-0000-0000-000000000000", displayName: "deleted" };
const KEEPERS = ["catalog", "gamification", "groups", "identity", "presence"];

const post = async (author: Person, groupId: string, content: string, more: object = {}) =>
	is(await author.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), kind: "text", content, ...more }), 201).body;
const erase = async (who: Person) => is(await who.send("DELETE", "/api/auth/me", { password: who.password }), 202).body;
const byTicket = (job: { id: string; ticket: string }) => http(app.url, `/api/jobs/${job.id}?ticket=${job.ticket}`);
const jsonOf = (value: unknown) => JSON.stringify(value);

describe("an export", () => {
	it("is one archive with what every node keeps of the person, behind a link that needs no token", async () => {
		const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
		const groupId = await groupOf(ana, ben);
		const first = await post(ana, groupId, "my own words");
		await post(ben, groupId, "the words of Ben");
		is(await ana.send("PATCH", `/api/groups/${groupId}/messages/${first.seq}`, { content: "my better words" }), 200);
		is(await ana.send("PUT", `/api/groups/${groupId}/messages/${first.seq}/reactions/${encodeURIComponent("👍")}`), 200);
		await eventually(async () => assert.ok((await ana.get("/api/gamification/points/me")).body.xp > 0));

		const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
		const begun = is(await ana.post("/api/auth/me/export"), 202).body;
		assert.ok(["waiting", "running", "done"].includes(begun.state), jsonOf(begun));
		assert.deepEqual([begun.kind, begun.total], ["export", KEEPERS.length]);
		const job = await ended(() => ana.get(`/api/jobs/${begun.id}`));
		assert.equal(job.done, job.total);
		assert.deepEqual((await ana.get("/api/auth/me/export")).body, job);
		const left = Date.parse(job.result.expiresAt) - Date.now();
		assert.ok(left > 23.9 * 3_600_000 && left <= 24 * 3_600_000);

		const { status, headers, bytes } = await fetchArchive(app.url, job.result.url);
		assert.equal(status, 200);
		assert.equal(headers.get("content-type"), "application/zip");
		assert.match(headers.get("content-disposition") ?? "", /^attachment; filename="reloop-export-\d{4}-\d\d-\d\d\.zip"$/);
		assert.equal(headers.get("content-length"), String(bytes.length));
		assert.match(headers.get("cache-control") ?? "", /no-store/);
		const files = await unzip(bytes);
		assert.deepEqual(Object.keys(files).sort(), [...KEEPERS.map((node) => `${node}.json`), "manifest.json"].sort());
		const { "manifest.json": manifest, "identity.json": identity, "groups.json": groups, "gamification.json": gamification } = files;
		assert.deepEqual([manifest.format, manifest.accountId, manifest.profileIds], [1, ana.accountId, [ana.profileId]]);
		for (const [name, { sections }] of Object.entries<{ sections: object }>(manifest.files))
			for (const [section, count] of Object.entries(sections)) assert.equal(files[name][section].length, count, `${name} ${section}`);
		assert.partialDeepStrictEqual(identity.account, [{ id: ana.accountId, email: ana.email, role: "user" }]);
		assert.partialDeepStrictEqual(identity.profiles, [{ id: ana.profileId, displayName: "Ana" }]);
		assert.equal(identity.sessions.length, 1);
		assert.partialDeepStrictEqual(identity.secondFactors, [{ kind: "totp" }]);
		assert.deepEqual(identity.identities, []);
		assert.partialDeepStrictEqual(groups.memberships, [{ groupId, role: "admin", madeByYou: true }]);
		assert.partialDeepStrictEqual(groups.messages, [{ groupId, seq: first.seq, content: "my better words" }]);
		assert.partialDeepStrictEqual(groups.reactions, [{ groupId, seq: first.seq, emoji: "👍" }]);
		assert.ok(
			gamification.wallets.some(({ currency, balance }: { currency: string; balance: number }) => currency === "xp" && balance > 0),
		);
		assert.ok(gamification.entries.length > 0);
		const all = jsonOf(files);
		for (const foreign of ["the words of Ben", ben.profileId, ben.email, "argon2", ana.refreshToken, secret])
			assert.ok(!all.includes(foreign), foreign);
	});

	it("says, too, that a token of theirs was used by somebody else", async () => {
		const ana = await person(app.url, "Ana");
		const use = (refreshToken: string, device: string) =>
			http(app.url, "/api/auth/refresh", { body: { refreshToken }, headers: { "User-Agent": device } });
		is(await use(ana.refreshToken, "mine/1"), 200);
		is(await use(ana.refreshToken, "thief/1"), 401, "invalid-token");
		const { tokens } = is(await http(app.url, "/api/auth/login", { body: { email: ana.email, password: ana.password } }), 200).body;
		ana.accessToken = tokens.accessToken;
		const { "identity.json": identity } = await exported(app.url, ana);
		const entries = identity.audit.filter(({ action }: { action: string }) => action === "session.reuse");
		assert.partialDeepStrictEqual(entries, [{ aboutYou: true, byYou: false }]);
		assert.equal(entries.length, 1);
		assert.match(jsonOf(entries[0].personal), /thief/);
	});

	it("that runs is answered again instead of a second one", async () => {
		const ana = await person(app.url, "Ana");
		is(await ana.get("/api/auth/me/export"), 404, "not-found");
		const begun = await Promise.all(Array.from({ length: 5 }, () => ana.post("/api/auth/me/export")));
		assert.equal(new Set(begun.map((reply) => is(reply, 202).body.id)).size, 1);
		const { id } = begun[0]?.body ?? {};
		await ended(() => ana.get(`/api/jobs/${id}`));
		const next = is(await ana.post("/api/auth/me/export"), 202).body;
		assert.notEqual(next.id, id);
		assert.equal((await ana.get("/api/auth/me/export")).body.id, next.id);
	});

	it("has each message once while its author writes on", async () => {
		const ana = await person(app.url, "Ana");
		const groupId = await groupOf(ana);
		for (let n = 0; n < 250; n += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => post(ana, groupId, `before ${n + k}`)));
		let writing = true;
		const writer = (async () => {
			for (let n = 0; writing; n++) await post(ana, groupId, `meanwhile ${n}`);
		})();
		const { "groups.json": groups } = await exported(app.url, ana);
		writing = false;
		await writer;
		const seqs = groups.messages.map(({ seq }: { seq: number }) => seq);
		assert.equal(new Set(seqs).size, seqs.length);
		const before = groups.messages.filter(({ content }: { content: string }) => content.startsWith("before"));
		assert.equal(before.length, 250);
	});

	it("is nobody else's: not the job, not the archive, not with a guessed key", async () => {
		const [ana, eve] = [await person(app.url, "Ana"), await person(app.url, "Eve")];
		const { id } = is(await ana.post("/api/auth/me/export"), 202).body;
		is(await eve.get(`/api/jobs/${id}`), 404, "not-found");
		is(await http(app.url, `/api/jobs/${id}`), 401, "unauthenticated");
		is(await http(app.url, `/api/jobs/${id}?ticket=${randomUUID()}`), 404, "not-found");
		is(await eve.get("/api/auth/me/export"), 404, "not-found");
		const { result } = await ended(() => ana.get(`/api/jobs/${id}`));
		const link = new URL(result.url);
		const key = link.searchParams.get("key") as string;
		const other = `${key[0] === "A" ? "B" : "A"}${key.slice(1)}`;
		is(await http(app.url, `${link.pathname}?key=${other}`), 404, "not-found");
		is(await http(app.url, `/api/exports/${randomUUID()}?key=${key}`), 404, "not-found");
		is(await http(app.url, link.pathname), 422, "validation");
		is(await ana.get(`/api/jobs/${randomUUID()}`), 404, "not-found");
		is(await ana.get("/api/jobs/nothing"), 404, "not-found");
	});
});

describe("erasure", () => {
	it("asks for the password", async () => {
		const ana = await person(app.url, "Ana");
		is(await ana.send("DELETE", "/api/auth/me", { password: "not this one" }), 403, "wrong-password");
		is(await ana.send("DELETE", "/api/auth/me"), 422, "validation");
		is(await ana.send("DELETE", "/api/auth/me", { password: ana.password, accountId: randomUUID() }), 422, "validation");
		is(await http(app.url, "/api/auth/me", { method: "DELETE", body: { password: ana.password } }), 401, "unauthenticated");
		is(await ana.get("/api/auth/me"), 200);
	});

	it("ends every session at once and frees the e-mail; its end is seen by the ticket when every node has given its receipt", async () => {
		const ana = await person(app.url, "Ana");
		const again = is(await http(app.url, "/api/auth/login", { body: { email: ana.email, password: ana.password } }), 200).body;
		const socket = await connect(app.url, ana.accessToken);
		const bye = new Promise<{ reason: string }>((resolve) => socket.once("bye", resolve));
		const begun = await erase(ana);
		assert.deepEqual([begun.kind, begun.total], ["erase", KEEPERS.length]);
		assert.match(begun.ticket, /^[\w-]{43}$/);
		assert.equal((await bye).reason, "revoked");
		for (const token of [ana.accessToken, again.tokens.accessToken])
			await eventually(async () => is(await http(app.url, "/api/auth/me", { token }), 401, "invalid-token"));
		is(await http(app.url, "/api/auth/refresh", { body: { refreshToken: ana.refreshToken } }), 401, "invalid-token");
		is(await http(app.url, "/api/auth/login", { body: { email: ana.email, password: ana.password } }), 401, "invalid-credentials");

		const { email, password } = ana;
		const anew = is(await http(app.url, "/api/auth/register", { body: { email, password, displayName: "Ana II" } }), 201).body;
		assert.notEqual(anew.account.id, ana.accountId);
		is(await http(app.url, `/api/profiles/${ana.profileId}`, { token: anew.tokens.accessToken }), 404, "not-found");

		const { result, done } = await ended(() => byTicket(begun));
		assert.deepEqual(Object.keys(result.receipts).sort(), KEEPERS);
		for (const at of Object.values<string>(result.receipts)) assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
		assert.equal(done, KEEPERS.length);
	});

	it("is seen by nobody without the ticket", async () => {
		const [ana, eve] = [await person(app.url, "Ana"), await person(app.url, "Eve")];
		const job = await erase(ana);
		is(await eve.get(`/api/jobs/${job.id}`), 404, "not-found");
		for (const ticket of [job.ticket.slice(0, -1), `${job.ticket}A`, job.ticket.toUpperCase(), "x"])
			is(await http(app.url, `/api/jobs/${job.id}?ticket=${ticket}`), 404, "not-found");
		const other = await erase(eve);
		is(await byTicket({ id: other.id, ticket: job.ticket }), 404, "not-found");
		is(await byTicket(job), 200);
	});

	it("leaves messages in their places with an anonymous author, in lists, in the log and on sockets", async () => {
		const [ana, ben] = [await person(app.url, "Ana Livia"), await person(app.url, "Ben")];
		const groupId = await groupOf(ben, ana);
		const picture = await uploadOf(app.url, ana);
		const hers = await post(ana, groupId, "I can mend zips", { attachments: [picture] });
		const his = await post(ben, groupId, "Ana, can you?", { mentions: [ana.profileId] });
		const like = `/api/groups/${groupId}/messages/${his.seq}/reactions/${encodeURIComponent("👍")}`;
		is(await ana.send("PUT", like), 200);
		const socket = await connect(app.url, ben.accessToken);
		const room = `group:${groupId}`;
		await say(socket, "group:join", { groupId });
		const heard = listen(socket, room);

		const job = await erase(ana);
		await ended(() => byTicket(job));

		await eventually(() =>
			assert.partialDeepStrictEqual(heard, [{ type: "member", action: "left", profileId: ana.profileId, by: NOBODY }]),
		);
		const page = is(await ben.get(`/api/groups/${groupId}/messages`), 200).body.data;
		assert.partialDeepStrictEqual(page, [
			{ seq: hers.seq, id: hers.id, content: "I can mend zips", by: NOBODY },
			{ seq: his.seq, by: { profileId: ben.profileId }, mentions: [NOBODY.profileId], reactions: [{ emoji: "👍", count: 1, mine: false }] },
		]);
		const { data: log, head } = is(await ben.get(`/api/groups/${groupId}/events`), 200).body;
		assert.deepEqual(
			log.map(({ seq }: { seq: number }) => seq),
			Array.from({ length: head }, (_, index) => index + 1),
		);
		const anew = await connect(app.url, ben.accessToken);
		const resumed = (await say(anew, "resume", { rooms: { [room]: 0 } })).rooms[room];
		assert.deepEqual(resumed.events, log);
		for (const shown of [page, log])
			for (const trace of [ana.profileId, "Ana Livia", picture]) assert.ok(!jsonOf(shown).includes(trace), trace);
		assert.deepEqual(
			is(await ben.get(`/api/groups/${groupId}/members`), 200).body.data.map(({ profileId }: Person) => profileId),
			[ben.profileId],
		);
		// Nobody can lay a hand on them in the author's name, and the group lives on.
		is(await ben.send("PATCH", `/api/groups/${groupId}/messages/${hers.seq}`, { content: "no" }), 403, "forbidden");
		assert.equal((await post(ben, groupId, "She is gone")).seq, head + 1);
		for (const one of [socket, anew]) one.close();
	});

	it("of the last admin hands the group to the highest and longest member, and of the last member ends it", async () => {
		const [ana, ben, kim] = [await person(app.url, "Ana"), await person(app.url, "Ben"), await person(app.url, "Kim")];
		const groupId = await groupOf(ana, ben, kim);
		is(await ana.send("PATCH", `/api/groups/${groupId}/members/${kim.profileId}`, { role: "moderator" }), 200);
		const alone = await groupOf(ana);
		const job = await erase(ana);
		await ended(() => byTicket(job));
		const { data } = is(await ben.get(`/api/groups/${groupId}/members`), 200).body;
		assert.deepEqual(
			data.map(({ profileId, role }: { profileId: string; role: string }) => [profileId, role]),
			[
				[ben.profileId, "member"],
				[kim.profileId, "admin"],
			],
		);
		is(await ben.get(`/api/groups/${alone}`), 404, "not-found");
	});

	it("forgets invites to the person, and ends theirs", async () => {
		const [ana, ben, kim] = [await person(app.url, "Ana"), await person(app.url, "Ben"), await person(app.url, "Kim")];
		const groupId = await groupOf(ben, ana);
		const made = is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: kim.profileId }), 201).body;
		const own = await groupOf(kim);
		is(await kim.post(`/api/groups/${own}/invites`, { profileId: ana.profileId }), 201);
		const job = await erase(ana);
		await ended(() => byTicket(job));
		assert.deepEqual(is(await kim.get(`/api/groups/${own}/invites`), 200).body.data, []);
		assert.deepEqual(is(await kim.get("/api/invites"), 200).body.data, []);
		const { data } = is(await ben.get(`/api/groups/${groupId}/invites`), 200).body;
		assert.partialDeepStrictEqual(data, [{ id: made.id, inviterId: NOBODY.profileId, state: "revoked" }]);
		is(await kim.post(`/api/invites/${made.id}/accept`), 409, "wrong-state");
	});

	it("takes the archives of the person along", async () => {
		const ana = await person(app.url, "Ana");
		const { id } = is(await ana.post("/api/auth/me/export"), 202).body;
		const { result } = await ended(() => ana.get(`/api/jobs/${id}`));
		await erase(ana);
		assert.equal((await fetchArchive(app.url, result.url)).status, 404);
	});
});
