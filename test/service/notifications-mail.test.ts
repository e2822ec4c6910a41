// What nobody has seen is mailed, at its time, by the clock on the wall of whoever gets it; and nobody gets what they do not want.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { settings } from "../../mixins/settings.ts";
import { callAction, eventually, groupOf, hear, http, is, person, testApp, turnClock } from "../support/kit.ts";
import type { Person } from "../support/kit.ts";
import { mailsTo } from "../support/mailbox.ts";
import { inbox, invite, posted, prove, talkOf, titles, waiting, welcomed } from "../support/notifications.ts";

// Nobody signs in again because the clock was turned.
const app = await testApp({ TTL_ACCESS: "864000" });
const { DATA_DIR } = settings(app.broker);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PREFERENCES = "/api/notifications/preferences";

/** Mails about notifications: each has a way out. */
const mails = async (who: Person) => (await mailsTo(DATA_DIR, who.email)).filter(({ raw }) => raw.includes("List-Unsubscribe:"));
const mailsAre = (who: Person, count: number) =>
	eventually(async () => {
		const all = await mails(who);
		assert.equal(all.length, count);
		return all;
	});

/** Everybody registers before the clock is turned: limits of requests would not believe it when it is turned back. */
const pool = await Promise.all(Array.from({ length: 9 }, () => Promise.all(["Ana", "Ben"].map((name) => person(app.url, name)))));
const [cleo, dan] = await Promise.all([person(app.url, "Cleo"), person(app.url, "Dan")]);
await welcomed(...pool.flat(), cleo, dan);

/** Two of whom Ben's address is proved. */
async function two(preferences: object = {}): Promise<[Person, Person]> {
	const both = pool.pop() as [Person, Person];
	await prove(both[1]);
	is(await both[1].send("PUT", PREFERENCES, preferences), 200);
	return both;
}

/** The clock is turned to the next time that a wall in that zone shows this. */
function turnTo(wall: string, timeZone = "UTC"): void {
	const shown = new Intl.DateTimeFormat("en-GB", { timeZone, hourCycle: "h23", hour: "2-digit", minute: "2-digit" }).format(Date.now());
	const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
	turnClock(((minutes(wall) - minutes(shown) + 1440) % 1440 || 1440) * MINUTE);
}

/** Everything that is due has been done. */
const done = () =>
	eventually(async () => {
		for (const task of ["climb", "digest", "mail"])
			assert.ok(
				(await waiting(task)).every(({ at }) => Date.parse(at) > Date.now()),
				task,
			);
	});
test("what was not seen is mailed by itself, with a way out that mail programs know", async () => {
	const [ana, ben] = await two({ digest: "off" });
	await hear(app.broker, invite(ana, ben));
	await titles(ben, 1);
	turnClock(14 * MINUTE);
	await done();
	assert.deepEqual(await mails(ben), []);
	turnClock(2 * MINUTE);
	const [mail] = await mailsAre(ben, 1);
	assert.equal(mail?.subject, "Ana invites you to Menders");
	const { PUBLIC_URL } = settings(app.broker);
	assert.deepEqual(
		mail?.links.map((link) => link.split("?")[0]),
		[`${PUBLIC_URL}/inbox`, `${PUBLIC_URL}/unsubscribe`],
	);
	assert.match(mail?.raw ?? "", /^List-Unsubscribe: <http[^\s>]+\/api\/notifications\/unsubscribe\?token=[\w.-]+>\r$/m);
	assert.match(mail?.raw ?? "", /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
	turnClock(48 * HOUR);
	await done();
	assert.equal((await mails(ben)).length, 1);
});

test("what was read, here or in the group itself, is not mailed; nor to an address that was never proved, nor to who has left the group", async () => {
	const [ana, ben] = await two({ digest: "off" });
	is(await cleo.send("PUT", PREFERENCES, { digest: "off" }), 200);
	is(await dan.send("PUT", PREFERENCES, { digest: "off" }), 200);
	await prove(dan);
	const groupId = await groupOf(ana, ben, cleo, dan);
	const mention = async () => {
		const mentions = [ben.profileId, cleo.profileId, dan.profileId];
		return is(await ana.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), content: "Zips", mentions }), 201).body.seq;
	};
	await mention();
	const seq = await mention();
	for (const who of [ben, cleo, dan]) await titles(who, 2);
	is(await ben.send("PATCH", `/api/notifications/${(await inbox(ben))[0].id}/read`), 200);
	is(await ben.send("PUT", `/api/groups/${groupId}/read`, { seq: seq - 1 }), 200);
	is(await dan.post(`/api/groups/${groupId}/leave`), 204);
	turnClock(HOUR);
	await done();
	assert.deepEqual([await mails(ben), await mails(cleo), await mails(dan)], [[], [], []]);
	assert.ok((await inbox(ben)).every(({ readAt }: { readAt: string | null }) => readAt));
});

test("a digest gathers what was not seen, and comes in the morning of whoever gets it, from right to left where they read so", async () => {
	const [ana, ben] = await two({ digest: "daily", timeZone: "Asia/Baghdad" });
	is(await ben.send("PATCH", "/api/auth/me", { language: "ar" }), 200);
	turnTo("20:00", "Asia/Baghdad");
	const talk = await talkOf(app, ana, ben);
	await hear(app.broker, invite(ana, ben), posted(randomUUID(), 1, ana, { mentions: [ben.profileId], content: "<b>Zips</b>" }));
	await hear(app.broker, invite(ana, ben, "Sewers"));
	await titles(ben, 3);
	// Ana's talk is no group that the groups know: who is not in it gets no mail of it.
	await hear(app.broker, posted(talk, 1, ana));
	is(
		await ben.send("PATCH", `/api/notifications/${(await inbox(ben)).find(({ kind }: { kind: string }) => kind === "mention").id}/read`),
		200,
	);
	turnTo("07:30", "Asia/Baghdad");
	await done();
	assert.deepEqual(await mails(ben), []);
	turnTo("08:00", "Asia/Baghdad");
	const [mail] = await mailsAre(ben, 1);
	assert.match(mail?.html ?? "", /<html lang="ar" dir="rtl">/);
	assert.match(mail?.html ?? "", /<li><strong><bdi>Ana يدعوك إلى Menders<\/bdi>/);
	assert.match(mail?.html ?? "", /Sewers/);
	assert.doesNotMatch(mail?.raw ?? "", /Zips/);
	turnTo("08:00", "Asia/Baghdad");
	await done();
	assert.equal((await mails(ben)).length, 1);
});

test("an hourly digest comes with the full hour, in Kurdish from right to left", async () => {
	const [ana, ben] = await two({ digest: "hourly", timeZone: "Asia/Kathmandu" });
	is(await ben.send("PATCH", "/api/auth/me", { language: "ku" }), 200);
	turnTo("10:05", "Asia/Kathmandu");
	await hear(app.broker, invite(ana, ben));
	turnClock(20 * MINUTE);
	await done();
	assert.deepEqual(await mails(ben), []);
	turnTo("11:00", "Asia/Kathmandu");
	const [mail] = await mailsAre(ben, 1);
	assert.match(mail?.html ?? "", /<html lang="ku" dir="rtl">/);
	assert.match(mail?.html ?? "", /بانگهێشتت دەکات/);
});

test("in quiet hours nothing is mailed; afterwards it is", async () => {
	const [ana, ben] = await two({ digest: "off", quietHours: { from: "22:00", to: "07:00" }, timeZone: "America/New_York" });
	turnTo("21:50", "America/New_York");
	await hear(app.broker, invite(ana, ben));
	turnTo("06:59", "America/New_York");
	await done();
	assert.deepEqual(await mails(ben), []);
	turnTo("07:00", "America/New_York");
	await mailsAre(ben, 1);
});

test("a group that is muted meanwhile is mailed no more of, but for mentions", async () => {
	const [ana, ben] = await two({ digest: "off" });
	const groupId = await groupOf(ana, ben);
	await hear(
		app.broker,
		posted(groupId, 101, ana, { replyTo: 1, repliedToId: ben.profileId }),
		posted(groupId, 102, ana, { mentions: [ben.profileId] }),
	);
	await titles(ben, 2);
	is(await ben.send("PUT", PREFERENCES, { mutedGroups: [groupId] }), 200);
	turnClock(16 * MINUTE);
	const [mail] = await mailsAre(ben, 1);
	assert.match(mail?.subject ?? "", /mentioned/);
	await done();
	assert.equal((await mails(ben)).length, 1);
});

test("one click calls off mails of that kind, without anybody signed in, twice is once; a link that was not made here does nothing", async () => {
	const [ana, ben] = await two({ digest: "off" });
	await hear(app.broker, invite(ana, ben));
	turnClock(16 * MINUTE);
	const [mail] = await mailsAre(ben, 1);
	const [, link = ""] = /^List-Unsubscribe: <([^>]+)>/m.exec(mail?.raw ?? "") ?? [];
	const { pathname, search } = new URL(link);
	const path = `${pathname}${search}`;
	const click = (to: string, body = "List-Unsubscribe=One-Click") =>
		http(app.url, to, { body, headers: { "Content-Type": "application/x-www-form-urlencoded" }, keyless: true });
	assert.deepEqual(is(await http(app.url, path), 200).body, { kinds: ["invite"], email: true });
	for (let i = 0; i < 2; i++) assert.deepEqual(is(await click(path), 200).body, { kinds: ["invite"], email: false });
	assert.deepEqual(is(await http(app.url, path), 200).body, { kinds: ["invite"], email: false });
	const { kinds } = (await ben.get(PREFERENCES)).body;
	assert.deepEqual([kinds.invite, kinds.mention.email], [{ inApp: true, email: false, push: true }, true]);
	await hear(app.broker, invite(ana, ben));
	turnClock(16 * MINUTE);
	await done();
	assert.equal((await mails(ben)).length, 1);
	for (const forged of [path.replace("invite", "mention"), path.slice(0, -1), `${path}AA`, path.replace(ben.profileId, ana.profileId)]) {
		is(await click(forged), 400, "invalid-code");
		is(await http(app.url, forged), 400, "invalid-code");
	}
	is(await click("/api/notifications/unsubscribe"), 422, "validation");
});

test("people that this node has not heard of are learned once, and what was heard since stays", async () => {
	const [ana, ben] = await two();
	const db = database("presence");
	await db.query("delete from people where profile_id = $1", [ana.profileId]);
	await db.query("update people set display_name = 'Benjamin' where profile_id = $1", [ben.profileId]);
	await db.query("insert into learning default values");
	const { learn } = await import("../../services/presence/notify/learn.ts");
	const tools = { at: new Date(), db, cause: { requestId: null, actor: null }, broker: app.broker, signal: new AbortController().signal };
	await learn({}, tools);
	assert.deepEqual(
		await db.query("select display_name as name from people where profile_id = any($1::uuid[]) order by 1", [
			[ana.profileId, ben.profileId],
		]),
		[{ name: "Ana" }, { name: "Benjamin" }],
	);
	assert.deepEqual(await db.query("select 1 from learning"), []);
	const [page] = await Promise.all([callAction(app.broker, "identity.people", { limit: 1 })]);
	assert.equal(page.people.length, 1);
});
