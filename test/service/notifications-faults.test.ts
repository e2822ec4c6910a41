// Notifications when something fails: a process that ends in between, facts and jobs that come twice, a mail server that says nothing.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { settings } from "../../mixins/settings.ts";
import { climb, digest } from "../../services/presence/notify/ladder.ts";
import { freshDatabase } from "../support/database.ts";
import type { Person, TestApp } from "../support/kit.ts";
import { eventually, groupOf, hear, http, is, person, startTestApp, turnClock } from "../support/kit.ts";
import { mailsTo } from "../support/mailbox.ts";
import { inbox, invite, posted, prove, talkOf, titles, waiting, welcomed } from "../support/notifications.ts";
import { silentServer } from "../support/smtp.ts";

const MINUTE = 60_000;
const fresh = await freshDatabase();
after(() => fresh.close());
const start = (environment: Record<string, string> = {}) =>
	startTestApp({ DATABASE_URL: fresh.ownerUrl, TTL_ACCESS: "864000", PUBLIC_URL: "http://reloop.example", ...environment });

/** The same person at another process. */
function at(app: TestApp, who: Person): Person {
	const send: Person["send"] = (method, path, body) => http(app.url, path, { method, token: who.accessToken, body });
	return {
		...who,
		get: (path) => http(app.url, path, { token: who.accessToken }),
		send,
		post: (path, body = {}) => send("POST", path, body),
	};
}

const two = async (app: TestApp): Promise<[Person, Person]> => {
	const both = (await Promise.all(["Ana", "Ben"].map((name) => person(app.url, name)))) as [Person, Person];
	await welcomed(...both);
	await prove(both[1]);
	return both;
};
const mails = async ({ broker }: TestApp, who: Person) =>
	(await mailsTo(settings(broker).DATA_DIR, who.email)).filter(({ raw }) => raw.includes("List-Unsubscribe:"));

test("a process ends with everything under way: what was heard is not told again, and what waits is mailed once by the next one", async () => {
	let app = await start();
	let ben: Person;
	let messages: number;
	try {
		const [ana, other] = await two(app);
		ben = other;
		is(await ben.send("PUT", "/api/notifications/preferences", { digest: "off" }), 200);
		const talk = await talkOf(app, ana, ben);
		await hear(app.broker, invite(ana, ben), posted(talk, 2, ana), posted(talk, 3, ana));
		await titles(ben, 2);
		messages = (await inbox(ben)).find(({ kind }: { kind: string }) => kind === "message").count;
		assert.equal(messages, 2);
		// As after a crash between the effect and the note that it was handled, on a disk that has lost that note alone.
		await database("presence").query("update inbox set handled_at = null where consumer = 'notifications'");
	} finally {
		await app.stop();
	}
	app = await start();
	try {
		ben = at(app, ben);
		await eventually(async () =>
			assert.deepEqual(await database("presence").query("select 1 from inbox where handled_at is null or dead_at is not null"), []),
		);
		const again = await inbox(ben);
		assert.deepEqual([again.length, again.find(({ kind }: { kind: string }) => kind === "message").count], [2, 2]);
		turnClock(16 * MINUTE);
		const [mail] = await eventually(async () => {
			const all = await mails(app, ben);
			assert.equal(all.length, 1);
			return all;
		});
		assert.equal(mail?.subject, "Ana invites you to Menders");
	} finally {
		await app.stop();
	}
});

test("a step of the ladder and a digest that are done twice are done once", async () => {
	const app = await start();
	try {
		const [ana, ben] = await two(app);
		is(await ben.send("PUT", "/api/notifications/preferences", { digest: "off" }), 200);
		await hear(app.broker, invite(ana, ben), invite(ana, ben, "Sewers"));
		const [sewers, menders] = await inbox(ben);
		const db = database("presence");
		const tools = { at: new Date(), db, cause: { requestId: null, actor: null }, broker: app.broker, signal: new AbortController().signal };
		await Promise.all([climb({ id: sewers.id }, tools), climb({ id: sewers.id }, tools)]);
		// Its process died between the effect and the note that it was done.
		await db.query("update notifications set step = 'mail' where id = $1", [sewers.id]);
		await climb({ id: sewers.id }, tools);
		await eventually(async () => assert.equal((await mails(app, ben)).length, 1));
		is(await ben.send("PUT", "/api/notifications/preferences", { digest: "hourly" }), 200);
		for (let i = 0; i < 2; i++) await climb({ id: menders.id }, tools);
		assert.equal((await waiting("digest")).length, 1);
		await Promise.all([digest({ profileId: ben.profileId }, tools), digest({ profileId: ben.profileId }, tools)]);
		await digest({ profileId: ben.profileId }, tools);
		await eventually(async () => assert.equal((await mails(app, ben)).length, 2));
		assert.deepEqual((await waiting("mail")).length, 0);
	} finally {
		await app.stop();
	}
});

test("a mail server that says nothing holds up mails alone: everything else of the ladder goes on", async () => {
	const silent = await silentServer();
	const app = await start({ SMTP_URL: `smtp://127.0.0.1:${silent.port}` });
	try {
		const [ana, ben] = await two(app);
		const cleo = await person(app.url, "Cleo");
		await welcomed(cleo);
		is(await ben.send("PUT", "/api/notifications/preferences", { digest: "off" }), 200);
		await hear(app.broker, ...Array.from({ length: 8 }, () => invite(ana, ben)));
		await titles(ben, 8);
		turnClock(16 * MINUTE);
		await eventually(() => assert.ok(silent.connections() >= 2));
		// All lanes that mails have are held.
		const groupId = await groupOf(ana, cleo);
		is(await ana.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), content: "Zips", mentions: [cleo.profileId] }), 201);
		await titles(cleo, 1);
		turnClock(16 * MINUTE);
		await eventually(async () => assert.equal((await waiting("digest")).length > 0, true));
		await eventually(async () => assert.ok((await waiting("climb")).every(({ at: due }) => Date.parse(due) > Date.now())));
		assert.ok((await waiting("mail")).length > 0, "nothing was lost, and they go on waiting");
	} finally {
		await app.stop();
		await silent.stop();
	}
});
