// The link of an export: an archive of several pieces, how long it is good, and profiles that are no more.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { it } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { ended, exported, fetchArchive, unzip } from "../support/archive.ts";
import { groupOf, http, is, person, testApp, turnClock } from "../support/kit.ts";

const app = await testApp();

it("gives an archive of any size whole, and to HEAD its length", async () => {
	const ana = await person(app.url, "Ana");
	const groupId = await groupOf(ana);
	const content = () => randomBytes(2000).toString("hex");
	const send = (n: number) => ana.post(`/api/groups/${groupId}/messages`, { clientId: `${n}`, kind: "text", content: content() });
	const sent = await Promise.all(Array.from({ length: 600 }, (_, n) => send(n)));
	for (const reply of sent) is(reply, 201);
	const { id } = is(await ana.post("/api/auth/me/export"), 202).body;
	const { result } = await ended(() => ana.get(`/api/jobs/${id}`));
	const { bytes } = await fetchArchive(app.url, result.url);
	const [{ parts } = { parts: 0 }] = await database("identity").query<{ parts: number }>("select parts from exports where id = $1", [id]);
	assert.ok(bytes.length > 1_000_000 && parts > 2, `${bytes.length} bytes in ${parts} pieces`);
	const { "groups.json": groups } = await unzip(bytes);
	assert.deepEqual(
		groups.messages.map(({ content: text }: { content: string }) => text).sort(),
		sent.map(({ body }) => body.content).sort(),
	);
	const { pathname, search } = new URL(result.url);
	const head = await http(app.url, pathname + search, { method: "HEAD" });
	assert.deepEqual([head.status, head.headers.get("content-length"), head.body], [200, String(bytes.length), ""]);
});

it("has what somebody said by a profile that is no more, and an erasure takes it along", async () => {
	const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
	const groupId = await groupOf(ben, ana);
	is(await ana.post(`/api/groups/${groupId}/messages`, { clientId: "1", kind: "text", content: "by my other face" }), 201);
	const db = database("identity");
	await db.query(
		"insert into profiles (id, account_id, display_name, kind, created_at, updated_at) select gen_random_uuid(), id, 'II', 'consumer', created_at, created_at from accounts where id = $1",
		[ana.accountId],
	);
	const [other] = await db.query<{ id: string }>("select id from profiles where account_id = $1 and id <> $2", [
		ana.accountId,
		ana.profileId,
	]);
	await db.query("update sessions set profile_id = $1 where profile_id = $2", [other?.id, ana.profileId]);
	await db.query("delete from profiles where id = $1", [ana.profileId]);
	assert.partialDeepStrictEqual((await exported(app.url, ana))["groups.json"].messages, [{ content: "by my other face" }]);
	const job = is(await ana.send("DELETE", "/api/auth/me", { password: ana.password }), 202).body;
	await ended(() => http(app.url, `/api/jobs/${job.id}?ticket=${job.ticket}`));
	const { data } = is(await ben.get(`/api/groups/${groupId}/messages`), 200).body;
	assert.partialDeepStrictEqual(data, [{ content: "by my other face", by: { displayName: "deleted" } }]);
});

// The last one: limits that were counted on the turned clock are full for a day.
it("is good for 24 hours", async () => {
	const ana = await person(app.url, "Ana");
	const { id } = is(await ana.post("/api/auth/me/export"), 202).body;
	const { result } = await ended(() => ana.get(`/api/jobs/${id}`));
	const { pathname, search } = new URL(result.url);
	turnClock(Date.parse(result.expiresAt) - Date.now() - 1_000);
	assert.equal((await fetchArchive(app.url, result.url)).status, 200);
	turnClock(1_000);
	is(await http(app.url, pathname + search), 410, "expired");
});
