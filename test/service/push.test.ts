// Devices: who is not looking is pushed to, once, and not for longer than it is news; by services that answer as they please.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { exported } from "../support/archive.ts";
import type { Person } from "../support/kit.ts";
import { eventually, hear, http, is, person, testApp, turnClock } from "../support/kit.ts";
import { mailsTo } from "../support/mailbox.ts";
import { settings } from "../../mixins/settings.ts";
import { inbox, invite, prove, titles, waiting, welcomed } from "../support/notifications.ts";
import { fcmError, fcmServer, webPushServer } from "../support/push-servers.ts";

const folder = await mkdtemp(join(tmpdir(), "reloop-test-"));
const [web, fcm] = await Promise.all([webPushServer(), fcmServer()]);
after(async () => {
	await Promise.all([web.stop(), fcm.stop()]);
	await rm(folder, { recursive: true, force: true });
});
const usual = { verdict: fcm.verdict, tokenVerdict: fcm.tokenVerdict, lifetime: fcm.lifetime };
afterEach(() => {
	Object.assign(fcm, usual);
	web.check();
	fcm.check();
});

const app = await testApp({
	TTL_ACCESS: "864000",
	ALLOW_PRIVATE_ENDPOINTS: "true",
	FCM_CREDENTIALS_FILE: await fcm.credentials(folder),
	FCM_API_BASE: fcm.origin,
});
const DEVICES = "/api/notifications/devices";
const SECOND = 1_000;
const DAY = 86_400_000;
const presence = () => database("presence");

/** Everybody registers before the clock is turned. */
const ana = await person(app.url, "Ana");
const pool = await Promise.all(Array.from({ length: 20 }, () => person(app.url, "Ben")));
await welcomed(ana, ...pool);
const next = (): Person => pool.pop() as Person;

async function browserOf(who: Person) {
	const browser = web.browser();
	const { body } = is(await who.post(DEVICES, { kind: "web", subscription: browser.subscription }), 201);
	return Object.assign(browser, { id: body.id as string });
}
async function phoneOf(who: Person, kind = "android"): Promise<string> {
	const token = `phone:${randomUUID()}`;
	is(await who.post(DEVICES, { kind, token }), 201);
	return token;
}
const devicesOf = async (who: Person) => is(await who.get(DEVICES), 200).body.data;
/** Somebody is told something; answers its id. */
async function tell(who: Person): Promise<string> {
	const before = (await inbox(who)).length;
	await hear(app.broker, invite(ana, who));
	await titles(who, before + 1);
	return (await inbox(who))[0].id;
}
const arrived = (all: readonly unknown[], count: number) => eventually(() => assert.equal(all.length, count));
/** Everything that is due has been done. */
const done = () =>
	eventually(async () => {
		for (const task of ["climb", "pushWeb", "pushFcm"])
			assert.deepEqual(
				(await waiting(task)).filter(({ at }) => Date.parse(at) <= Date.now()),
				[],
				task,
			);
		const busy = await presence().query("select 1 from presence_jobs._private_jobs where locked_at is not null");
		assert.deepEqual(busy, []);
	});

test("a browser and an app are told after ten seconds what was not seen: encrypted, signed, and replaceable", async () => {
	const ben = next();
	const [browser, phone] = [await browserOf(ben), await phoneOf(ben)];
	const id = await tell(ben);
	turnClock(9 * SECOND);
	await done();
	assert.deepEqual([browser.arrived.length, fcm.to(phone).length], [0, 0]);
	turnClock(2 * SECOND);
	await arrived(browser.arrived, 1);
	const [{ message, ...how }] = browser.arrived as [(typeof browser.arrived)[0]];
	assert.partialDeepStrictEqual(message, { type: "notification", id, kind: "invite", title: "Ana invites you to Menders" });
	const { publicKey } = is(await http(app.url, "/api/notifications/push-key"), 200).body;
	assert.partialDeepStrictEqual(how, {
		ttl: 86_400,
		urgency: "high",
		topic: id.replaceAll("-", ""),
		key: publicKey,
		subject: "mailto:reloop@localhost",
	});
	await eventually(() => assert.equal(fcm.to(phone).length, 1));
	const [{ message: sent }] = fcm.to(phone) as [(typeof fcm.arrived)[0]];
	assert.deepEqual(sent.notification, { title: "Ana invites you to Menders", body: "You can accept or decline." });
	assert.partialDeepStrictEqual(JSON.parse(sent.data.payload), { type: "notification", id, kind: "invite" });
	assert.equal(sent.android.collapse_key, id.replaceAll("-", ""));
	assert.equal(sent.apns.headers["apns-collapse-id"], id.replaceAll("-", ""));
	// And then never again.
	turnClock(2 * DAY);
	await done();
	assert.deepEqual([browser.arrived.length, fcm.to(phone).length], [1, 1]);
});

test("a device belongs to who registered it last, is found by its token, its endpoint or its id, and there are twenty at most", async () => {
	const [ben, cleo] = [next(), next()];
	const browser = await browserOf(ben);
	const phone = await phoneOf(ben, "ios");
	const [second, first] = await devicesOf(ben);
	assert.deepEqual([first.kind, first.token, first.subscription.keys], ["web", browser.endpoint, browser.subscription.keys]);
	assert.deepEqual([second.kind, second.token, "subscription" in second], ["ios", phone, false]);
	// Again it is the same one.
	assert.equal(is(await ben.post(DEVICES, { kind: "ios", token: phone }), 201).body.id, second.id);
	is(await cleo.post(DEVICES, { kind: "ios", token: phone }), 201);
	assert.deepEqual([(await devicesOf(ben)).length, (await devicesOf(cleo)).length], [1, 1]);
	is(await ben.send("DELETE", `${DEVICES}/${encodeURIComponent(phone)}`), 404, "not-found");
	is(await cleo.send("DELETE", `${DEVICES}/${encodeURIComponent(phone)}`), 204);
	is(await ben.send("DELETE", `${DEVICES}/${encodeURIComponent(browser.endpoint)}`), 204);
	is(await ben.send("DELETE", `${DEVICES}/${encodeURIComponent(browser.endpoint)}`), 404, "not-found");
	const phones = [];
	for (let i = 0; i < 22; i++) phones.push(await phoneOf(ben));
	const kept = await devicesOf(ben);
	assert.deepEqual(
		kept.map(({ token }: { token: string }) => token),
		phones.slice(2).reverse(),
	);
	is(await ben.send("DELETE", `${DEVICES}/${kept[0].id}`), 204);
	is(await http(app.url, DEVICES), 401, "unauthenticated");
});

test("what is no device is refused", async () => {
	const ben = next();
	const { subscription } = web.browser();
	const { keys } = subscription;
	const nowhere = { p256dh: `BA${"A".repeat(85)}`, auth: keys.auth };
	for (const body of [
		{ kind: "web" },
		{ kind: "web", token: "x" },
		{ kind: "web", token: "x", subscription },
		{ kind: "ios" },
		{ kind: "ios", subscription },
		{ kind: "ios", token: "x", subscription },
		{ kind: "android", token: "" },
		{ kind: "android", token: "with a space" },
		{ kind: "android", token: "x".repeat(4097) },
		{ kind: "fridge", token: "x" },
		{ kind: "web", subscription: { ...subscription, endpoint: "not a url" } },
		{ kind: "web", subscription: { ...subscription, endpoint: "ftp://push.example.com/1" } },
		{ kind: "web", subscription: { ...subscription, endpoint: "https://me:secret@push.example.com/1" } },
		{ kind: "web", subscription: { ...subscription, keys: { ...keys, auth: "AAAA" } } },
		{ kind: "web", subscription: { ...subscription, keys: nowhere } },
		{ kind: "web", subscription: { endpoint: subscription.endpoint } },
	])
		is(await ben.post(DEVICES, body), 422, "validation");
	assert.deepEqual(await devicesOf(ben), []);
});

test("who signs out, leaves nothing that is pushed to; devices are in one's export", async () => {
	const ben = next();
	const phone = await phoneOf(ben);
	assert.partialDeepStrictEqual((await exported(app.url, ben))["presence.json"].devices, [{ kind: "android", token: phone }]);
	is(await ben.post("/api/auth/logout"), 204);
	await eventually(async () =>
		assert.deepEqual(await presence().query("select 1 from devices where profile_id = $1", [ben.profileId]), []),
	);
});

test("read on one device, it disappears from the others, and what has not gone out does not", async () => {
	const ben = next();
	const [browser, phone] = [await browserOf(ben), await phoneOf(ben)];
	const shown = await tell(ben);
	turnClock(11 * SECOND);
	await arrived(browser.arrived, 1);
	await eventually(() => assert.equal(fcm.to(phone).length, 1));
	await done();
	const early = await tell(ben);
	is(await ben.send("PATCH", `/api/notifications/${shown}/read`), 200);
	is(await ben.send("PATCH", `/api/notifications/${early}/read`), 200);
	await arrived(browser.arrived, 2);
	const taken = browser.arrived[1];
	assert.deepEqual([taken?.message, taken?.topic, taken?.urgency], [{ type: "withdraw", id: shown }, shown.replaceAll("-", ""), "low"]);
	await eventually(() => assert.equal(fcm.to(phone).length, 2));
	const message = fcm.to(phone)[1]?.message;
	assert.partialDeepStrictEqual(message, { data: { type: "withdraw", id: shown }, android: { collapse_key: shown.replaceAll("-", "") } });
	assert.equal(message.notification, undefined);
	turnClock(60 * SECOND);
	await done();
	assert.deepEqual([browser.arrived.length, fcm.to(phone).length], [2, 2]);
});

test("what is read while it is on its way is taken back behind it", async () => {
	const ben = next();
	const browser = await browserOf(ben);
	const id = await tell(ben);
	let read: Promise<unknown> | undefined;
	browser.verdict = (n) => {
		if (n > 1) return 201;
		read = ben.send("PATCH", `/api/notifications/${id}/read`);
		return { status: 201, headers: {} };
	};
	turnClock(11 * SECOND);
	await eventually(() => assert.ok(read));
	await read;
	await eventually(() => assert.equal(browser.arrived.at(-1)?.message.type, "withdraw"));
	await done();
	assert.equal(browser.arrived.at(-1)?.message.type, "withdraw");
});

test("a subscription that is gone is removed; one that is only busy is asked again when it wants to be", async () => {
	for (const status of [404, 410]) {
		const ben = next();
		const browser = await browserOf(ben);
		browser.verdict = () => status;
		await tell(ben);
		turnClock(11 * SECOND);
		await eventually(async () => assert.deepEqual(await devicesOf(ben), []));
		assert.equal(browser.arrived.length, 1);
	}
	const ben = next();
	const [busy, broken, strict, picky] = [await browserOf(ben), await browserOf(ben), await browserOf(ben), await browserOf(ben)];
	busy.verdict = (n) => (n === 1 ? { status: 429, headers: { "Retry-After": "100" } } : 201);
	broken.verdict = (n) => (n < 3 ? 503 : 201);
	strict.verdict = () => 403;
	picky.verdict = (n) => (n === 1 ? 413 : 201);
	await tell(ben);
	turnClock(11 * SECOND);
	await arrived(busy.arrived, 1);
	await arrived(broken.arrived, 1);
	await arrived(strict.arrived, 1);
	await arrived(picky.arrived, 2);
	turnClock(15 * SECOND);
	await arrived(broken.arrived, 2);
	assert.equal(busy.arrived.length, 1);
	turnClock(30 * SECOND);
	await arrived(broken.arrived, 3);
	turnClock(56 * SECOND);
	await arrived(busy.arrived, 2);
	turnClock(2 * DAY);
	await done();
	assert.deepEqual(
		[busy, broken, strict, picky].map((each) => each.arrived.length),
		[2, 3, 1, 2],
	);
	assert.equal((await devicesOf(ben)).length, 4);
});

test("a push service that sends us elsewhere is not followed", async () => {
	const ben = next();
	const elsewhere = await webPushServer();
	try {
		const browser = await browserOf(ben);
		browser.verdict = (n) => ({ status: n === 1 ? 307 : 302, headers: { Location: elsewhere.browser().endpoint } });
		await tell(ben);
		turnClock(11 * SECOND);
		await arrived(browser.arrived, 1);
		await done();
		assert.deepEqual([elsewhere.connections(), browser.arrived.length], [0, 1]);
	} finally {
		await elsewhere.stop();
	}
});

test("a service that is away for long is tried until it is no news any more, and not a day longer", async () => {
	const ben = next();
	const browser = await browserOf(ben);
	browser.verdict = () => 500;
	await tell(ben);
	turnClock(11 * SECOND);
	await arrived(browser.arrived, 1);
	for (let i = 2; i < 6; i++) {
		turnClock(20 * 60 * SECOND);
		await eventually(() => assert.ok(browser.arrived.length >= i));
		await done();
	}
	turnClock(DAY);
	await done();
	const count = browser.arrived.length;
	turnClock(DAY);
	await done();
	assert.equal(browser.arrived.length, count);
	assert.deepEqual(await waiting("pushWeb"), []);
});

test("FCM: one access token for many, another before it ends, one more where it is refused", async () => {
	const ben = next();
	const phones = await Promise.all(Array.from({ length: 5 }, () => phoneOf(ben)));
	fcm.revoke();
	const before = fcm.tokens;
	await tell(ben);
	turnClock(11 * SECOND);
	for (const phone of phones) await eventually(() => assert.equal(fcm.to(phone).length, 1));
	await done();
	assert.ok(fcm.tokens - before <= 2, `${fcm.tokens - before} tokens`);
	const known = fcm.tokens;
	await tell(ben);
	turnClock(56 * 60 * SECOND);
	for (const phone of phones) await eventually(() => assert.equal(fcm.to(phone).length, 2));
	assert.equal(fcm.tokens, known + 1, "given up before its end, by one for all");
});

test("FCM: a token that is gone is removed, what it finds wrong is given up, what it cannot do now is tried again", async () => {
	const ben = next();
	const [gone, foreign, wrong, busy, broken, apple] = (await Promise.all(Array.from({ length: 6 }, () => phoneOf(ben)))) as [
		string,
		...string[],
	];
	fcm.verdict = (token, n) => {
		if (token === gone) return fcmError(404, "UNREGISTERED");
		if (token === foreign) return fcmError(403, "SENDER_ID_MISMATCH");
		if (token === wrong) return fcmError(400, "INVALID_ARGUMENT");
		if (token === apple) return fcmError(401, "THIRD_PARTY_AUTH_ERROR");
		if (n > 1) return 200;
		return token === busy ? fcmError(429, "QUOTA_EXCEEDED", { "Retry-After": "100" }) : fcmError(503, "UNAVAILABLE");
	};
	await tell(ben);
	turnClock(11 * SECOND);
	await eventually(async () => assert.equal((await devicesOf(ben)).length, 4));
	await done();
	turnClock(30 * SECOND);
	await eventually(() => assert.equal(fcm.to(broken as string).length, 2));
	assert.equal(fcm.to(busy as string).length, 1);
	turnClock(75 * SECOND);
	await eventually(() => assert.equal(fcm.to(busy as string).length, 2));
	turnClock(2 * DAY);
	await done();
	assert.deepEqual(
		[gone, foreign, wrong, apple, busy, broken].map((token) => fcm.to(token as string).length),
		[1, 1, 1, 1, 2, 2],
	);
});

test("FCM: without an access token nothing is lost", async () => {
	const ben = next();
	const phone = await phoneOf(ben);
	fcm.revoke();
	await tell(ben);
	fcm.tokenVerdict = () => 500;
	turnClock(58 * 60 * SECOND);
	await eventually(async () => assert.ok((await waiting("pushFcm")).some(({ at }) => Date.parse(at) > Date.now())));
	assert.equal(fcm.to(phone).length, 0);
	fcm.tokenVerdict = () => undefined;
	turnClock(20 * SECOND);
	await eventually(() => assert.equal(fcm.to(phone).length, 1));
});

test("a push service that says nothing holds up neither another, nor the apps, nor the mails; and nothing is lost", async () => {
	const [ben, dan] = [next(), next()];
	const other = await webPushServer();
	try {
		const hung = await Promise.all(Array.from({ length: 20 }, () => browserOf(ben)));
		for (const browser of hung) browser.verdict = () => "hang";
		const browser = other.browser();
		is(await dan.post(DEVICES, { kind: "web", subscription: browser.subscription }), 201);
		const phone = await phoneOf(dan);
		await prove(dan);
		is(await dan.send("PUT", "/api/notifications/preferences", { digest: "off" }), 200);
		await tell(ben);
		await tell(dan);
		turnClock(11 * SECOND);
		await eventually(() => assert.equal(fcm.to(phone).length, 1));
		await eventually(() => assert.equal(browser.arrived.length, 1), 15_000);
		turnClock(16 * 60 * SECOND);
		const mails = async () =>
			(await mailsTo(settings(app.broker).DATA_DIR, dan.email)).filter(({ raw }) => raw.includes("List-Unsubscribe:"));
		await eventually(async () => assert.equal((await mails()).length, 1));
		for (const each of hung) each.verdict = () => 201;
		for (let i = 0; i < 20 && hung.some((each) => each.arrived.length === 0); i++) {
			turnClock(10 * 60 * SECOND);
			await done();
		}
		await eventually(async () => assert.deepEqual(await waiting("pushWeb"), []));
		assert.ok(hung.every((each) => each.arrived.length >= 1));
	} finally {
		await other.stop();
	}
});

test("done twice, as after a crash before it was noted, it is the same push again: one topic, one collapse key", async () => {
	const ben = next();
	const [browser, phone] = [await browserOf(ben), await phoneOf(ben)];
	await tell(ben);
	turnClock(11 * SECOND);
	await arrived(browser.arrived, 1);
	await eventually(() => assert.equal(fcm.to(phone).length, 1));
	await done();
	const { deliver } = await import("../../services/presence/push/deliver.ts");
	const rows = await presence().query<{ notificationId: string; deviceId: string }>(
		`select notification_id as "notificationId", device_id as "deviceId" from pushes p join devices d on d.id = p.device_id where d.profile_id = $1`,
		[ben.profileId],
	);
	const tools = {
		at: new Date(),
		db: presence(),
		cause: { requestId: null, actor: null },
		broker: app.broker,
		signal: new AbortController().signal,
	};
	for (const row of rows)
		await deliver({ ...row, profileId: ben.profileId, since: new Date().toISOString(), tries: 0, withdraw: false, small: false }, tools);
	assert.deepEqual(
		browser.arrived.map(({ topic }) => topic),
		[browser.arrived[0]?.topic, browser.arrived[0]?.topic],
	);
	assert.equal(new Set(fcm.to(phone).map(({ message }) => message.android.collapse_key)).size, 1);
});
