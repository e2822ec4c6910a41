// What is pushed, and what answers of push services mean; which server is left alone; what an area is.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { isInside } from "../../mixins/outside.ts";
import { isArea } from "../../services/presence/domain/area.ts";
import {
	fcmCode,
	fcmMessage,
	fcmOutcome,
	messageOf,
	pauseBefore,
	retryAfter,
	topicOf,
	webOutcome,
} from "../../services/presence/domain/push.ts";
import { breakerOf } from "../../services/presence/push/breaker.ts";
import { readAccount } from "../../services/presence/push/fcm.ts";
import { takesWithdrawals } from "../../services/presence/push/web.ts";

const id = "01890000-0000-7000-8000-000000000001";
const row = { id, kind: "mention" as const, title: "T", body: "B", data: { groupId: "g" }, count: 1 };

test("an answer of a push service is one of five things", () => {
	const as = (status: number) => webOutcome(status, undefined).as;
	assert.deepEqual([200, 201, 202, 204].map(as), ["sent", "sent", "sent", "sent"]);
	assert.deepEqual([404, 410].map(as), ["dead", "dead"]);
	assert.deepEqual([408, 429, 500, 502, 503, 504].map(as), Array(6).fill("later"));
	assert.deepEqual([301, 302, 307, 400, 401, 403].map(as), Array(6).fill("refused"));
	assert.equal(as(413), "smaller");
	assert.deepEqual(webOutcome(429, 7), { as: "later", why: "It answered 429.", after: 7 });
	const fcm = (status: number, code: string) => {
		const outcome = fcmOutcome(status, code, undefined);
		return outcome === "unauthorised" ? outcome : outcome.as;
	};
	assert.deepEqual(
		[fcm(200, ""), fcm(404, "UNREGISTERED"), fcm(404, "NOT_FOUND"), fcm(403, "SENDER_ID_MISMATCH")],
		["sent", "dead", "dead", "dead"],
	);
	assert.deepEqual(
		[fcm(401, "UNAUTHENTICATED"), fcm(401, ""), fcm(401, "THIRD_PARTY_AUTH_ERROR")],
		["unauthorised", "unauthorised", "refused"],
	);
	assert.deepEqual([fcm(429, "QUOTA_EXCEEDED"), fcm(503, "UNAVAILABLE"), fcm(500, "INTERNAL")], ["later", "later", "later"]);
	assert.deepEqual([fcm(400, "INVALID_ARGUMENT"), fcm(403, "PERMISSION_DENIED")], ["refused", "refused"]);
	assert.equal(fcmCode('{"error":{"status":"NOT_FOUND","details":[{"@type":"x"},{"errorCode":"UNREGISTERED"}]}}'), "UNREGISTERED");
	assert.deepEqual(
		['{"error":{"status":"NOT_FOUND"}}', "<html>", "null", '{"error":{"details":7}}', '{"error":{"details":[null]}}'].map(fcmCode),
		["NOT_FOUND", "", "", "", ""],
	);
});

test("it is tried again later each time, and not before it was asked to be", () => {
	const now = Date.parse("2026-03-01T10:00:00.000Z");
	assert.equal(retryAfter("120", now), 120_000);
	assert.equal(retryAfter("Sun, 01 Mar 2026 10:00:30 GMT", now), 30_000);
	assert.equal(retryAfter("Sun, 01 Mar 2020 10:00:30 GMT", now), 0);
	assert.equal(retryAfter("999999999", now), 3_600_000, "nobody makes us wait for ever");
	assert.deepEqual([retryAfter(undefined, now), retryAfter("soon", now), retryAfter("-1 ?", now)], [undefined, undefined, undefined]);
	const pauses = [0, 1, 2, 8, 30].map((tries) => pauseBefore(tries, undefined, 0.5));
	assert.deepEqual(pauses, [5_000, 10_000, 20_000, 900_000, 900_000]);
	assert.equal(pauseBefore(0, 100_000, 0.9), 100_000);
	assert.ok(pauseBefore(0, undefined, 0) < pauseBefore(0, undefined, 1));
});

test("a message fits its service, in any script, and says at least what it is about", () => {
	assert.deepEqual(messageOf(row), { type: "notification", ...row });
	const bytes = (message: object) => Buffer.byteLength(JSON.stringify(message));
	for (const sign of ["x", "ش", "💡", "e\u0301", "\u0001"]) {
		const large = { ...row, title: sign.repeat(200), body: sign.repeat(500), data: { text: "y".repeat(3_000) } };
		const [whole, small] = [messageOf(large), messageOf(large, { small: true })];
		assert.ok(bytes(whole) <= 3_500 && bytes(small) <= 1_500, `${sign} ${bytes(whole)} ${bytes(small)}`);
		assert.deepEqual([whole.id, small.id], [id, id]);
	}
	assert.equal(topicOf(id).length, 32);
	const push = fcmMessage("t", messageOf(row), 60) as { data: Record<string, string> };
	assert.deepEqual(JSON.parse(push.data.payload as string), {
		type: "notification",
		id,
		kind: "mention",
		data: { groupId: "g" },
		count: 1,
	});
	assert.equal("notification" in fcmMessage("t", { type: "withdraw", id }, 60), false);
});

test("who fails three times is left alone for a while, then one goes and looks", () => {
	const breaker = breakerOf(new ServiceBroker({ logger: false }));
	for (let i = 0; i < 2; i++) breaker.note("a", true, 0);
	assert.equal(breaker.closedUntil("a", 0), undefined);
	breaker.note("a", true, 0);
	assert.equal(breaker.closedUntil("a", 1), 5_000);
	assert.equal(breaker.closedUntil("b", 1), undefined);
	assert.equal(breaker.closedUntil("a", 5_000), undefined, "one");
	assert.equal(breaker.closedUntil("a", 5_001), 10_000, "no other");
	breaker.note("a", true, 5_002);
	assert.equal(breaker.closedUntil("a", 5_003), 15_002);
	breaker.note("a", false, 6_000);
	assert.equal(breaker.closedUntil("a", 6_001), undefined);
});

test("a browser that shows whatever it gets is not told to take anything back", () => {
	assert.equal(takesWithdrawals({ kind: "web", token: "https://web.push.apple.com/x" }), false);
	assert.equal(takesWithdrawals({ kind: "web", token: "https://updates.push.services.mozilla.com/x" }), true);
	assert.equal(takesWithdrawals({ kind: "ios", token: "x" }), true);
});

test("an area is a time zone, or the beginning of some", () => {
	for (const name of ["Europe", "Europe/Lisbon", "America/Argentina", "Asia/Baghdad", "UTC"]) assert.ok(isArea(name), name);
	for (const name of ["Europa", "Europe/", "Lisbon/Europe", "Eur", "__proto__"]) assert.ok(!isArea(name), name);
});

test("a server inside is known by its address, however it is written, and by its name", async () => {
	const inside =
		"127.0.0.1 10.1.2.3 192.168.0.1 172.16.0.1 169.254.169.254 100.64.0.1 0.0.0.0 2130706433 0x7f.1 0177.0.0.1 [::1] [::] [::ffff:127.0.0.1] [::ffff:a00:1] [fc00::1] [fe80::1] [64:ff9b::7f00:1] [2002:7f00:1::] localhost";
	for (const host of inside.split(" ")) assert.equal(await isInside(new URL(`https://${host}/x`)), true, host);
	for (const host of ["8.8.8.8", "[2606:4700::1111]", "no-such-name.invalid"])
		assert.equal(await isInside(new URL(`https://${host}/x`)), false, host);
	assert.equal(await isInside(new URL("http://8.8.8.8/x")), true, "in plain text nobody is pushed to");
});

const folder = mkdtempSync(join(tmpdir(), "reloop-test-"));
after(() => rmSync(folder, { recursive: true }));

test("a file of credentials that is none stops with a sentence, which holds nothing of the file", () => {
	const pem = (pair: { privateKey: { export(how: object): unknown } }) => pair.privateKey.export({ type: "pkcs8", format: "pem" });
	const good = {
		type: "service_account",
		project_id: "p",
		client_email: "e",
		token_uri: "https://oauth2.googleapis.com/token",
		private_key: pem(generateKeyPairSync("rsa", { modulusLength: 2048 })),
	};
	const file = join(folder, "fcm.json");
	const read = (content: string) => {
		writeFileSync(file, content);
		return readAccount(file);
	};
	assert.equal(read(JSON.stringify(good)).projectId, "p");
	const wrong: [string, RegExp][] = [
		["", /is not JSON/],
		["[]", /has no type/],
		["null", /has no type/],
		[JSON.stringify({ ...good, type: "authorized_user" }), /not of the type "service_account"/],
		[JSON.stringify({ ...good, project_id: undefined }), /has no project_id/],
		[JSON.stringify({ ...good, client_email: 7 }), /has no client_email/],
		[JSON.stringify({ ...good, token_uri: "nowhere" }), /token_uri that is no URL/],
		[JSON.stringify({ ...good, private_key: "SECRET" }), /private_key that is no RSA key/],
		[JSON.stringify({ ...good, private_key: pem(generateKeyPairSync("ec", { namedCurve: "P-256" })) }), /private_key that is no RSA key/],
	];
	for (const [content, words] of wrong)
		assert.throws(
			() => read(content),
			(error: Error & { sentence?: true }) => error.sentence === true && words.test(error.message) && !error.message.includes("SECRET"),
			content.slice(0, 60),
		);
	assert.throws(() => readAccount(join(folder, "none.json")), /FCM_CREDENTIALS_FILE .*cannot be read \(ENOENT\)/);
});
