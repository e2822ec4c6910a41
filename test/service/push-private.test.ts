// What a stranger's push endpoint must not reach; and the keys by which browsers know us.
import assert from "node:assert/strict";
import { createECDH, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { database } from "../../mixins/postgres.ts";
import { provideSettings, settings } from "../../mixins/settings.ts";
import { vapidOf } from "../../services/presence/push/vapid.ts";
import { eventually, hear, http, is, person, testApp, turnClock } from "../support/kit.ts";
import { invite, titles, welcomed } from "../support/notifications.ts";
import { dataDirectory, startProcess } from "../support/process.ts";
import { silentServer } from "../support/smtp.ts";

const app = await testApp();
const DEVICES = "/api/notifications/devices";
const [ana, ben] = await Promise.all(
	["Ana", "Ben"].map((name) => person(app.url, name)) as [ReturnType<typeof person>, ReturnType<typeof person>],
);
await welcomed(ana, ben);

const pair = createECDH("prime256v1");
const subscription = (endpoint: string) => ({
	endpoint,
	keys: { p256dh: pair.generateKeys("base64url"), auth: randomBytes(16).toString("base64url") },
});

test("an endpoint in a private network is refused, in every way to write it", async () => {
	for (const endpoint of [
		"https://127.0.0.1/push",
		"https://localhost/push",
		"https://LOCALHOST./push",
		"https://2130706433/push",
		"https://0x7f.1/push",
		"https://10.0.0.1/push",
		"https://192.168.1.1:8443/push",
		"https://169.254.169.254/latest/meta-data",
		"https://[::1]/push",
		"https://[::ffff:127.0.0.1]/push",
		"https://[::ffff:10.0.0.1]/push",
		"https://[fd00::1]/push",
		"http://push.example.com/plain",
		"http://127.0.0.1/push",
	]) {
		const { body } = is(await ben.post(DEVICES, { kind: "web", subscription: subscription(endpoint) }), 422, "validation");
		assert.equal(body.errors[0].path, "subscription.endpoint", endpoint);
	}
	// Nobody can say where this is just now; it is looked at when it is pushed to.
	is(await ben.post(DEVICES, { kind: "web", subscription: subscription("https://push.invalid/x") }), 201);
	is(await ben.send("DELETE", `${DEVICES}/${encodeURIComponent("https://push.invalid/x")}`), 204);
});

test("a name that leads inside later is not asked, and its device is removed", async () => {
	const silent = await silentServer();
	let asked = 0;
	const timer = setInterval(() => (asked += silent.connections()), 1);
	try {
		for (const host of ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"]) {
			const { id } = is(await ben.post(DEVICES, { kind: "web", subscription: subscription("https://push.invalid/y") }), 201).body;
			// As if the name's owner had changed where it leads.
			await database("presence").query("update devices set token = $2 where id = $1", [id, `https://${host}:${silent.port}/x`]);
			await hear(app.broker, invite(ana, ben));
			await titles(ben, 1);
			turnClock(11_000);
			await eventually(async () => assert.deepEqual(is(await ben.get(DEVICES), 200).body.data, []));
			is(await ben.post("/api/notifications/read-all"), 200);
			for (const { id: old } of is(await ben.get("/api/notifications"), 200).body.data)
				is(await ben.send("DELETE", `/api/notifications/${old}`), 204);
		}
		assert.equal(asked, 0);
	} finally {
		clearInterval(timer);
		await silent.stop();
	}
});

test("two processes that make the key of Web Push at once have one, and keep it; its private half is sealed", async () => {
	const db = database("presence");
	await db.query("delete from vapid_keys");
	const processes = Array.from({ length: 4 }, () => {
		const broker = new ServiceBroker({ logger: false });
		provideSettings(broker, settings(app.broker));
		return vapidOf(broker);
	});
	const keys = await Promise.all(processes.map((vapid) => vapid.publicKey()));
	assert.equal(new Set(keys).size, 1);
	const [first] = processes;
	const { privateKey, publicKey } = await (first as (typeof processes)[0]).details();
	const own = createECDH("prime256v1");
	own.setPrivateKey(privateKey, "base64url");
	assert.equal(own.getPublicKey("base64url"), publicKey);
	const rows = await db.query("select * from vapid_keys");
	assert.equal(rows.length, 1);
	assert.ok(!JSON.stringify(rows).includes(privateKey));
	assert.equal(Buffer.from(publicKey, "base64url").length, 65);
	// Of another SECRET_KEY it is said what to do.
	const other = new ServiceBroker({ logger: false });
	provideSettings(other, { ...settings(app.broker), SECRET_KEY: randomBytes(32).toString("base64") });
	await assert.rejects(vapidOf(other).details(), /SECRET_KEY is not the one/);
});

test("the key of Web Push is everybody's to know", async () => {
	const reply = is(await http(app.url, "/api/notifications/push-key"), 200);
	assert.equal(Buffer.from(reply.body.publicKey, "base64url").length, 65);
	assert.match(reply.headers.get("cache-control") ?? "", /public/);
});

test("a file of credentials that is not there stops the start with a sentence", async () => {
	const { path, environment, remove } = await dataDirectory();
	after(remove);
	const wrong = { ...environment, FCM_CREDENTIALS_FILE: "/nowhere/fcm.json" };
	await assert.rejects(
		startProcess(path, wrong),
		(error: Error) =>
			/ended before it was ready \(1\)/.test(error.message) &&
			/\nFCM_CREDENTIALS_FILE \(\/nowhere\/fcm.json\) cannot be read \(ENOENT\)\.\n$/.test(error.message),
	);
});
