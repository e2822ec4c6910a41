// How often codes may be tried and mails asked for, with the limits as they are shipped.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { settings } from "../../mixins/settings.ts";
import { foreignIssuers } from "../support/foreign-issuer.ts";
import { http, is, person, testApp, turnClock } from "../support/kit.ts";
import { mailsTo, mailTo } from "../support/mailbox.ts";

const { google, environment } = await foreignIssuers("google");
const app = await testApp({ ...environment, RATE_LIMIT_FACTOR: "1", TRUST_PROXY: "127.0.0.1", TTL_MAIL_CODE: "120" });
const dataDir = settings(app.broker).DATA_DIR;
const NEW = "four green bottles";
const ask = (path: string, body: unknown, address: string) => http(app.url, path, { body, headers: { "X-Forwarded-For": address } });

test("ten wrong codes from one address, and it waits; the owner comes in from another", async () => {
	const ana = await person(app.url, "Ana");
	await mailTo(dataDir, ana.email);
	const guess = (address: string, code = "000000") => ask("/api/auth/verify-email", { email: ana.email, code }, address);
	for (let i = 0; i < 10; i++) is(await guess("10.0.0.1"), 400, "invalid-code");
	const { headers } = is(await guess("10.0.0.1"), 429, "rate-limited");
	assert.ok(Number(headers.get("retry-after")) > 0);
	is(await ask("/api/auth/resend-verification", { email: ana.email }, "10.0.0.2"), 202);
	const { code } = await mailTo(dataDir, ana.email, 2);
	is(await guess("10.0.0.2", code), 200);
});

test("an unknown address is throttled as a known one", async () => {
	const guess = () => ask("/api/auth/verify-email", { email: "nobody@example.org", code: "000000" }, "10.0.1.1");
	for (let i = 0; i < 10; i++) is(await guess(), 400, "invalid-code");
	is(await guess(), 429, "rate-limited");
});

test("an account is mailed five times in a quarter of an hour, and the last mail stays good", async () => {
	const ana = await person(app.url, "Ana");
	for (let i = 1; i < 9; i++) is(await ask("/api/auth/resend-verification", { email: ana.email }, `10.0.2.${i}`), 202);
	const { token } = await mailTo(dataDir, ana.email, 5);
	const ben = await person(app.url, "Ben");
	await mailTo(dataDir, ben.email);
	assert.equal((await mailsTo(dataDir, ana.email)).length, 5);
	is(await ask("/api/auth/verify-email", { token }, "10.0.2.10"), 200);
});

test("one address asks for thirty mails in a quarter of an hour, whoever they are for", async () => {
	const forgot = (n: number) => ask("/api/auth/forgot-password", { email: `nobody${n}@example.org` }, "10.0.3.1");
	for (let i = 0; i < 30; i++) is(await forgot(i), 202);
	is(await forgot(30), 429, "rate-limited");
});

test("guesses from many addresses at many codes end with the codes; a link opens all the same", async () => {
	const ana = await person(app.url, "Ana");
	const { token } = await mailTo(dataDir, ana.email);
	await database("identity").query("update mail_codes set tries = 50 where account_id = $1", [ana.accountId]);
	is(await ask("/api/auth/resend-verification", { email: ana.email }, "10.0.4.1"), 202);
	const second = await mailTo(dataDir, ana.email, 2);
	is(await ask("/api/auth/verify-email", { email: ana.email, code: second.code }, "10.0.4.2"), 400, "invalid-code");
	is(await ask("/api/auth/verify-email", { token }, "10.0.4.2"), 400, "invalid-code");
	is(await ask("/api/auth/verify-email", { token: second.token }, "10.0.4.2"), 200);
});

test("wrong passwords at change-password count as those of a sign-in", async () => {
	const ana = await person(app.url, "Ana");
	const change = (currentPassword: string) =>
		http(app.url, "/api/auth/change-password", {
			token: ana.accessToken,
			body: { currentPassword, newPassword: NEW },
			headers: { "X-Forwarded-For": "10.0.5.1" },
		});
	for (let i = 0; i < 10; i++) is(await change("something else"), 403, "wrong-password");
	is(await change(ana.password), 429, "rate-limited");
	is(await ask("/api/auth/login", { email: ana.email, password: ana.password }, "10.0.5.1"), 429, "rate-limited");
});

test("who can have any address written into an ID token, or asks for it as their new one, learns of ten an hour whether it has an account", async () => {
	const ana = await person(app.url, "Ana");
	const federated = async (email: string, email_verified: boolean, address: string) =>
		ask("/api/auth/federated", { provider: "google", idToken: await google.token({ sub: randomUUID(), email, email_verified }) }, address);
	for (let i = 0; i < 5; i++) is(await federated(ana.email, false, "10.0.7.1"), 409, "link-required");
	for (let i = 0; i < 5; i++) is(await federated(`${randomUUID()}@example.org`, false, "10.0.7.1"), 200);
	for (const email of [ana.email, `${randomUUID()}@example.org`]) is(await federated(email, false, "10.0.7.1"), 429, "rate-limited");
	is(await federated(`${randomUUID()}@example.org`, true, "10.0.7.1"), 200);
	const change = (email: string) =>
		http(app.url, "/api/auth/change-email", {
			token: ana.accessToken,
			body: { email, password: ana.password },
			headers: { "X-Forwarded-For": "10.0.7.2" },
		});
	const ben = await person(app.url, "Ben");
	for (let i = 0; i < 10; i++) is(await change(ben.email), 409, "email-taken");
	for (const email of [ben.email, `${randomUUID()}@example.org`]) is(await change(email), 429, "rate-limited");
	is(await ask("/api/auth/register", { email: ben.email, password: NEW, displayName: "Eve" }, "10.0.7.2"), 429, "rate-limited");
});

test("TTL_MAIL_CODE is the life of every code", async () => {
	const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
	const verification = await mailTo(dataDir, ana.email);
	assert.match(verification.text, /2 minutes/);
	is(await ask("/api/auth/verify-email", { email: ben.email, code: (await mailTo(dataDir, ben.email)).code }, "10.0.6.1"), 200);
	is(await ask("/api/auth/forgot-password", { email: ben.email }, "10.0.6.1"), 202);
	const reset = await mailTo(dataDir, ben.email, 2);
	turnClock(121_000);
	is(await ask("/api/auth/verify-email", { email: ana.email, code: verification.code }, "10.0.6.2"), 400, "invalid-code");
	is(await ask("/api/auth/reset-password", { email: ben.email, code: reset.code, password: NEW }, "10.0.6.2"), 400, "invalid-code");
});
