// Proving an address, a lost password, and what people change of their accounts: over HTTP, with the mails that come.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { database } from "../../mixins/postgres.ts";
import { settings } from "../../mixins/settings.ts";
import { computed } from "../../services/identity/sign-in/hashing.ts";
import type { Person } from "../support/kit.ts";
import { eventually, http, is, person, testApp, told, turnClock } from "../support/kit.ts";
import type { Got } from "../support/mailbox.ts";
import { mailsTo, mailTo } from "../support/mailbox.ts";

const app = await testApp();
const dataDir = settings(app.broker).DATA_DIR;
const ask = (path: string, body: unknown, headers = {}) => http(app.url, path, { body, headers });
const mail = (email: string, n = 1) => mailTo(dataDir, email, n);
const newEmail = () => `${randomUUID().slice(0, 13)}@example.org`;
const NEW = "four green bottles";
const sql = (text: string, values: unknown[] = []) => database("identity").query(text, values);

/** Somebody whose address is verified; they have had one mail. */
async function verified(): Promise<Person> {
	const ana = await person(app.url, "Ana");
	const { code } = await mail(ana.email);
	is(await ask("/api/auth/verify-email", { email: ana.email, code }), 200);
	return ana;
}
/** The n-th mail since the verification. */
async function forgot(ana: Person, n = 1): Promise<Got> {
	is(await ask("/api/auth/forgot-password", { email: ana.email }), 202);
	return mail(ana.email, n + 1);
}
const stateOf = async (ana: Person): Promise<string> => (await ana.get("/api/auth/me")).body.account.state;
const login = (email: string, password: string) => ask("/api/auth/login", { email, password });
const wrong = (code: string | undefined): string => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

describe("a new account's address", () => {
	test("is verified by the code in its mail, once", async () => {
		const ana = await person(app.url, "Ana");
		const { text, code, links, html } = await mail(ana.email);
		assert.equal(await stateOf(ana), "unverified");
		assert.match(text, /^code: \d{6}$/m);
		assert.equal(links.length, 1);
		assert.ok(html.includes(`href="${links[0]}"`));
		const verify = () => ask("/api/auth/verify-email", { email: ` ${ana.email.toUpperCase()}`, code });
		const { body } = is(await verify(), 200);
		assert.deepEqual(body, { account: { id: ana.accountId, email: ana.email, state: "active", role: "user", mfa: false } });
		assert.equal(await stateOf(ana), "active");
		is(await verify(), 400, "invalid-code");
		assert.equal((await told("identity.account.verified", ana.accountId)).length, 1);
	});

	test("is verified by the link in its mail, once; then the code is used up, too", async () => {
		const ana = await person(app.url, "Ana");
		const { token, code, links } = await mail(ana.email);
		assert.ok(links[0]?.startsWith(`${app.url}/`));
		is(await ask("/api/auth/verify-email", { token }), 200);
		is(await ask("/api/auth/verify-email", { token }), 400, "invalid-code");
		is(await ask("/api/auth/verify-email", { email: ana.email, code }), 400, "invalid-code");
	});

	test("is written to in the language of the account; Arabic and Kurdish run from right to left", async () => {
		const languages: Record<string, RegExp> = { pt: /Confirme o seu/, ar: /dir="rtl"/, ku: /dir="rtl"[\s\S]*پشتڕاستی بکەرەوە/ };
		for (const [language, sign] of Object.entries(languages)) {
			const email = newEmail();
			is(await ask("/api/auth/register", { email, password: NEW, displayName: "Ana", language }), 201);
			const { html, text, code } = await mail(email);
			assert.match(html, sign);
			assert.match(html, new RegExp(`<html lang="${language}"`));
			is(await ask("/api/auth/verify-email", { email, code: /^code: (\d{6})$/m.exec(text)?.[1] ?? code }), 200);
		}
	});

	test("is mailed nothing where the registration is refused, and once where it comes twice", async () => {
		const email = newEmail();
		const body = { email, password: NEW, displayName: "Ana" };
		const key = { "Idempotency-Key": randomUUID() };
		is(await ask("/api/auth/register", body, key), 201);
		is(await ask("/api/auth/register", body, key), 201);
		is(await ask("/api/auth/register", body), 409, "email-taken");
		const other = await person(app.url, "Last");
		await mail(other.email);
		assert.equal((await mailsTo(dataDir, email)).length, 1);
	});

	test("a new code ends the older one and its link", async () => {
		const ana = await person(app.url, "Ana");
		const first = await mail(ana.email);
		is(await ask("/api/auth/resend-verification", { email: ana.email }), 202);
		const second = await mail(ana.email, 2);
		is(await ask("/api/auth/verify-email", { token: first.token }), 400, "invalid-code");
		if (first.code !== second.code) is(await ask("/api/auth/verify-email", { email: ana.email, code: first.code }), 400, "invalid-code");
		is(await ask("/api/auth/verify-email", { email: ana.email, code: second.code }), 200);
	});

	test("what proves it is asked for whole, and nothing else is taken", async () => {
		for (const body of [{}, { email: "a@b.c" }, { code: "1" }, { email: "a@b.c", code: "1", token: "t" }, { token: "t", state: "active" }])
			is(await ask("/api/auth/verify-email", body), 422, "validation");
	});

	test("is stored as hashes alone", async () => {
		const ana = await person(app.url, "Ana");
		const { code, token } = await mail(ana.email);
		const stored = JSON.stringify(
			await sql("select *, encode(code_hash, 'hex') c, encode(link_hash, 'hex') l from mail_codes where account_id = $1", [ana.accountId]),
		);
		assert.ok(!stored.includes(code as string) && !stored.includes(token as string));
	});
});

describe("guessing", () => {
	test("five wrong codes, and the right one is dead; its link is not", async () => {
		const ana = await person(app.url, "Ana");
		const { code, token } = await mail(ana.email);
		for (let i = 0; i < 5; i++) is(await ask("/api/auth/verify-email", { email: ana.email, code: wrong(code) }), 400, "invalid-code");
		is(await ask("/api/auth/verify-email", { email: ana.email, code }), 400, "invalid-code");
		is(await ask("/api/auth/verify-email", { token }), 200);
	});

	test("at once has no more tries than one after another", async () => {
		const ana = await verified();
		const { code } = await forgot(ana);
		const guesses = Array.from({ length: 40 }, (_, i) => String((Number(code) + 1 + i) % 1_000_000).padStart(6, "0"));
		const replies = await Promise.all(
			guesses.map((guess) => ask("/api/auth/reset-password", { email: ana.email, code: guess, password: NEW })),
		);
		for (const reply of replies) is(reply, 400, "invalid-code");
		assert.deepEqual(await sql("select tries from mail_codes where account_id = $1 and purpose = 'reset'", [ana.accountId]), [
			{ tries: 5 },
		]);
		is(await ask("/api/auth/reset-password", { email: ana.email, code, password: NEW }), 400, "invalid-code");
	});

	test("a right code at once by many is used by one", async () => {
		const ana = await verified();
		const { code } = await forgot(ana);
		const passwords = Array.from({ length: 8 }, (_, i) => `${i} green bottles`);
		const replies = await Promise.all(passwords.map((password) => ask("/api/auth/reset-password", { email: ana.email, code, password })));
		assert.equal(replies.filter(({ status }) => status === 204).length, 1);
		const used = passwords[replies.findIndex(({ status }) => status === 204)] as string;
		is(await login(ana.email, used), 200);
	});
});

describe("a lost password", () => {
	test("is replaced by the mailed code: every session ends, the old one is refused, the new one opens", async () => {
		const ana = await verified();
		const { code, links, token } = await forgot(ana);
		assert.deepEqual([links.length, typeof token], [1, "string"]);
		is(await ask("/api/auth/reset-password", { email: ana.email, code, password: NEW }), 204);
		await eventually(async () => is(await ana.get("/api/auth/me"), 401, "invalid-token"), 3_000);
		is(await ask("/api/auth/refresh", { refreshToken: ana.refreshToken }), 401, "invalid-token");
		is(await login(ana.email, ana.password), 401, "invalid-credentials");
		is(await login(ana.email, NEW), 200);
		is(await ask("/api/auth/reset-password", { email: ana.email, code, password: NEW }), 400, "invalid-code");
		is(await ask("/api/auth/reset-password", { token, password: NEW }), 400, "invalid-code");
		assert.match((await mail(ana.email, 3)).subject, /was changed/);
	});

	test("is replaced by the link; a password that everybody chooses is not one", async () => {
		const ana = await verified();
		const { token } = await forgot(ana);
		is(await ask("/api/auth/reset-password", { token, password: "password" }), 422, "validation");
		is(await ask("/api/auth/reset-password", { token, password: NEW }), 204);
	});

	test("of an address that is not verified is replaced by its verification: it gets no other mail", async () => {
		const ana = await person(app.url, "Ana");
		await mail(ana.email);
		const { subject, code } = await forgot(ana);
		assert.equal(subject, "Confirm your e-mail address");
		is(await ask("/api/auth/reset-password", { email: ana.email, code, password: NEW }), 204);
		const { body } = is(await login(ana.email, NEW), 200);
		assert.equal(body.account.state, "active");
		assert.equal((await told("identity.account.verified", ana.accountId)).length, 1);
	});

	test("a code opens what it was mailed for, and nobody else's account", async () => {
		const [ana, ben] = [await verified(), await verified()];
		const { code, token } = await forgot(ana);
		is(await ask("/api/auth/verify-email", { email: ana.email, code }), 400, "invalid-code");
		is(await ask("/api/auth/verify-email", { token }), 400, "invalid-code");
		is(await ask("/api/auth/reset-password", { email: ben.email, code, password: NEW }), 400, "invalid-code");
		is(await ask("/api/auth/reset-password", { email: ana.email, code, password: NEW }), 204);
	});

	test("a session that is opened with the old password at that moment ends, or came too late", async () => {
		const ana = await verified();
		const { token } = await forgot(ana);
		const [reset, ...logins] = await Promise.all([
			ask("/api/auth/reset-password", { token, password: NEW }),
			...Array.from({ length: 6 }, () => login(ana.email, ana.password)),
		]);
		is(reset, 204);
		for (const { status, body } of logins)
			if (status === 200)
				await eventually(
					async () => is(await http(app.url, "/api/auth/me", { token: body.tokens.accessToken }), 401, "invalid-token"),
					3_000,
				);
	});
});

describe("who has an account is not told", () => {
	test("asking for a mail has one answer, and no hash is computed", async () => {
		const ana = await verified();
		const pending = await person(app.url, "Ben");
		for (const path of ["/api/auth/forgot-password", "/api/auth/resend-verification"]) {
			const before = computed.hashes;
			const replies = [
				await ask(path, { email: ana.email }),
				await ask(path, { email: pending.email }),
				await ask(path, { email: newEmail() }),
			];
			assert.deepEqual(new Set(replies.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)), new Set(["202 {}"]));
			assert.equal(computed.hashes, before);
		}
	});

	test("a wrong code has one answer, and no hash is computed", async () => {
		const ana = await verified();
		const { code } = await forgot(ana);
		const texts = new Set<string>();
		for (const path of ["/api/auth/verify-email", "/api/auth/reset-password"]) {
			for (const email of [ana.email, newEmail()]) {
				const before = computed.hashes;
				const body = { email, code: wrong(code), ...(path.endsWith("password") ? { password: NEW } : {}) };
				const { title, detail } = is(await ask(path, body), 400, "invalid-code").body;
				texts.add(`${title} ${detail}`);
				assert.equal(computed.hashes, before);
			}
		}
		assert.equal(texts.size, 1);
	});

	test("an unknown address gets no mail, a verified one no verification", async () => {
		const [ana, stranger] = [await verified(), newEmail()];
		is(await ask("/api/auth/forgot-password", { email: stranger }), 202);
		is(await ask("/api/auth/resend-verification", { email: ana.email }), 202);
		await forgot(ana);
		assert.deepEqual(
			(await mailsTo(dataDir, ana.email)).map(({ subject }) => subject),
			["Confirm your e-mail address", "A new password for Reloop"],
		);
		assert.deepEqual(await mailsTo(dataDir, stranger), []);
	});

	test("a trashed account is as unknown", async () => {
		const ana = await verified();
		const { code } = await forgot(ana);
		await sql("update accounts set state = 'trashed' where id = $1", [ana.accountId]);
		is(await ask("/api/auth/reset-password", { email: ana.email, code, password: NEW }), 400, "invalid-code");
		is(await ask("/api/auth/forgot-password", { email: ana.email }), 202);
		const other = await verified();
		await forgot(other);
		assert.equal((await mailsTo(dataDir, ana.email)).length, 2);
	});
});

describe("a password", () => {
	test("is changed by who knows it: the other sessions end, this one goes on", async () => {
		const ana = await verified();
		const other = is(await login(ana.email, ana.password), 200).body.tokens.accessToken;
		const change = (currentPassword: string, newPassword: string) =>
			ana.post("/api/auth/change-password", { currentPassword, newPassword });
		is(await change("something else", NEW), 403, "wrong-password");
		is(await change(ana.password, "password1"), 422, "validation");
		is(await change(ana.password, ana.password), 422, "validation");
		is(await change(ana.password, NEW), 204);
		await eventually(async () => is(await http(app.url, "/api/auth/me", { token: other }), 401, "invalid-token"), 3_000);
		is(await ana.get("/api/auth/me"), 200);
		is(await ask("/api/auth/refresh", { refreshToken: ana.refreshToken }), 200);
		is(await login(ana.email, ana.password), 401, "invalid-credentials");
		is(await login(ana.email, NEW), 200);
		assert.match((await mail(ana.email, 2)).subject, /was changed/);
		is(await http(app.url, "/api/auth/change-password", { body: { currentPassword: NEW, newPassword: NEW } }), 401, "unauthenticated");
	});

	test("is changed by one of two who know it", async () => {
		const ana = await verified();
		const replies = await Promise.all(
			["one green bottle", "two green bottles"].map((newPassword) =>
				ana.post("/api/auth/change-password", { currentPassword: ana.password, newPassword }),
			),
		);
		assert.deepEqual(replies.map(({ status }) => status).sort(), [204, 403]);
	});

	test("that must be changed opens three doors, and all of them after the change", async () => {
		const ana = await verified();
		await sql("update accounts set state = 'mustChangePassword' where id = $1", [ana.accountId]);
		const { tokens } = is(await login(ana.email, ana.password), 200).body;
		const go = (method: string, path: string, body?: unknown) => http(app.url, path, { method, token: tokens.accessToken, body });
		assert.equal(is(await go("GET", "/api/auth/me"), 200).body.account.state, "mustChangePassword");
		for (const [method, path, body] of [
			["GET", "/api/profiles"],
			["PATCH", "/api/auth/me", { language: "pt" }],
			["POST", "/api/auth/change-email", { email: newEmail(), password: ana.password }],
		] as const)
			is(await go(method, path, body), 403, "password-change-required");
		is(await go("POST", "/api/auth/change-password", { currentPassword: ana.password, newPassword: NEW }), 204);
		const refreshed = is(await ask("/api/auth/refresh", { refreshToken: tokens.refreshToken }), 200).body.tokens.accessToken;
		assert.match(String(decodeJwt(refreshed).scope), /\baccount:own\b/);
		assert.equal(is(await http(app.url, "/api/auth/me", { token: refreshed }), 200).body.account.state, "active");
		is(await http(app.url, "/api/profiles", { token: refreshed }), 200);
	});

	test("ends what was mailed before", async () => {
		const ana = await verified();
		const { token } = await forgot(ana);
		is(await ana.post("/api/auth/change-password", { currentPassword: ana.password, newPassword: NEW }), 204);
		is(await ask("/api/auth/reset-password", { token, password: "five green bottles" }), 400, "invalid-code");
	});
});

describe("an address", () => {
	test("is another's once that one has confirmed; the old one is told, and the account comes in by the new one", async () => {
		const ana = await verified();
		const email = newEmail();
		is(await ana.post("/api/auth/change-email", { email, password: "something else" }), 403, "wrong-password");
		is(await ana.post("/api/auth/change-email", { email: ana.email, password: ana.password }), 422, "validation");
		assert.deepEqual(is(await ana.post("/api/auth/change-email", { email, password: ana.password }), 202).body, {});
		const { code, links } = await mail(email);
		assert.equal(links.length, 1);
		const notice = await mail(ana.email, 2);
		assert.ok(notice.text.includes(email));
		assert.equal(notice.links.length, 1);
		is(await login(email, ana.password), 401, "invalid-credentials");
		const { account } = is(await ask("/api/auth/verify-email", { email, code }), 200).body;
		assert.deepEqual([account.id, account.email, account.state], [ana.accountId, email, "active"]);
		is(await login(email, ana.password), 200);
		is(await login(ana.email, ana.password), 401, "invalid-credentials");
		assert.equal((await told("identity.account.verified", ana.accountId)).length, 1);
	});

	test("that has an account is refused, before or after the code", async () => {
		const [ana, ben] = [await verified(), await verified()];
		is(await ana.post("/api/auth/change-email", { email: ben.email, password: ana.password }), 409, "email-taken");
		const email = newEmail();
		is(await ana.post("/api/auth/change-email", { email, password: ana.password }), 202);
		const { token } = await mail(email);
		is(await ask("/api/auth/register", { email, password: NEW, displayName: "Cid" }), 201);
		is(await ask("/api/auth/verify-email", { token }), 409, "email-taken");
		assert.equal((await ana.get("/api/auth/me")).body.account.email, ana.email);
	});

	test("is not changed any more once the owner has set a new password", async () => {
		const ana = await verified();
		const email = newEmail();
		is(await ana.post("/api/auth/change-email", { email, password: ana.password }), 202);
		const { token } = await mail(email);
		await mail(ana.email, 2);
		const { code } = await forgot(ana, 2);
		is(await ask("/api/auth/reset-password", { email: ana.email, code, password: NEW }), 204);
		is(await ask("/api/auth/verify-email", { token }), 400, "invalid-code");
	});
});

describe("settings", () => {
	test("are shown and changed one by one; null takes one away", async () => {
		const ana = await person(app.url, "Ana");
		const none = { language: null, timeZone: null, phone: null };
		const shown = async () => {
			const { language, timeZone, phone } = (await ana.get("/api/auth/me")).body.account;
			return { language, timeZone, phone };
		};
		assert.deepEqual(await shown(), none);
		const { body } = is(await ana.send("PATCH", "/api/auth/me", { language: "ar", timeZone: "Asia/Baghdad" }), 200);
		assert.deepEqual(
			[body.account.id, body.account.language, body.profile.id, body.profiles.length],
			[ana.accountId, "ar", ana.profileId, 1],
		);
		is(await ana.send("PATCH", "/api/auth/me", { phone: "+351 210 000 000" }), 200);
		assert.deepEqual(await shown(), { language: "ar", timeZone: "Asia/Baghdad", phone: "+351 210 000 000" });
		is(await ana.send("PATCH", "/api/auth/me", { phone: null, language: null, timeZone: null }), 200);
		assert.deepEqual(await shown(), none);
	});

	test("are what they may be, and nothing else of an account is one", async () => {
		const ana = await person(app.url, "Ana");
		const refused = [
			{ language: "de" },
			{ timeZone: "Lisbon" },
			{ phone: "1" },
			{ role: "admin" },
			{ state: "active" },
			{ email: "a@b.c" },
			{ verifiedAt: null },
		];
		for (const body of refused) is(await ana.send("PATCH", "/api/auth/me", body), 422, "validation");
		is(await http(app.url, "/api/auth/me", { method: "PATCH", body: { language: "pt" } }), 401, "unauthenticated");
	});
});

// Last of all: the limits of this process remember the later time.
test("a code is good for ten minutes, a verification's link for a day, both of a reset for half an hour", async () => {
	const [ana, ben, cid, dan] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben"), verified(), verified()]);
	const [toAna, toBen, toCid, toDan] = [await mail(ana.email), await mail(ben.email), await forgot(cid), await forgot(dan)];
	turnClock(601_000);
	is(await ask("/api/auth/verify-email", { email: ana.email, code: toAna.code }), 400, "invalid-code");
	is(await ask("/api/auth/reset-password", { email: cid.email, code: toCid.code, password: NEW }), 204);
	turnClock(1_200_000);
	is(await ask("/api/auth/reset-password", { email: dan.email, code: toDan.code, password: NEW }), 400, "invalid-code");
	is(await ask("/api/auth/reset-password", { token: toDan.token, password: NEW }), 400, "invalid-code");
	is(await ask("/api/auth/reset-password", { token: toAna.token, password: NEW }), 400, "invalid-code");
	is(await ask("/api/auth/verify-email", { token: toAna.token }), 200);
	turnClock(86_400_000);
	is(await ask("/api/auth/verify-email", { token: toBen.token }), 400, "invalid-code");
});
