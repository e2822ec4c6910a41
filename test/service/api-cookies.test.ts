// Browsers that keep their tokens in cookies: what is in them, and what a page of somebody else can do with them. Nothing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { io } from "socket.io-client";
import { Browser } from "../support/browser.ts";
import { codeOf } from "../support/factors.ts";
import { eventually, http, is, person, testApp } from "../support/kit.ts";
import type { Reply } from "../support/kit.ts";

const FRIEND = "https://friend.example";
const app = await testApp({ CORS_ORIGINS: FRIEND });
const { url } = app;

async function signedIn(): Promise<Browser & { email: string; password: string }> {
	const { email, password } = await person(url, "Ana");
	const browser = Object.assign(new Browser(url), { email, password });
	is(await browser.ask("POST", "/api/auth/login?cookie=true", { email, password }), 200);
	return browser;
}

describe("with ?cookie=true", () => {
	test("tokens come in cookies that no page can read, and not in the body", async () => {
		const { email, password } = await person(url, "Ana");
		const replies = [
			await http(url, "/api/auth/login?cookie=true", { body: { email, password } }),
			await http(url, "/api/auth/register?cookie=true", { body: { email: `new-${email}`, password, displayName: "Ana" } }),
		];
		for (const reply of replies) {
			assert.deepEqual(Object.keys(reply.body).sort(), ["account", "profile"]);
			const cookies = Object.fromEntries(reply.headers.getSetCookie().map((line) => [line.split("=")[0], line]));
			assert.match(cookies.reloop_at ?? "", /^reloop_at=ey[^;]+; Path=\/; Max-Age=600; SameSite=Strict; HttpOnly$/);
			assert.match(cookies.reloop_rt ?? "", /^reloop_rt=[^;]+; Path=\/api\/auth\/refresh; Max-Age=2592000; SameSite=Strict; HttpOnly$/);
			assert.match(cookies.reloop_csrf ?? "", /^reloop_csrf=[^;]+; Path=\/; Max-Age=2592000; SameSite=Strict$/);
			assert.equal(JSON.stringify(reply.body).includes("ey"), false);
		}
	});

	test("without it, or with false, there are no cookies; anything else is refused", async () => {
		const { email, password } = await person(url, "Ana");
		for (const query of ["", "?cookie=false"]) {
			const reply = await http(url, `/api/auth/login${query}`, { body: { email, password } });
			assert.ok(reply.body.tokens);
			assert.deepEqual(reply.headers.getSetCookie(), []);
		}
		is(await http(url, "/api/auth/login?cookie=maybe", { body: { email, password } }), 422, "validation");
		is(await http(url, "/api/auth/login", { body: { email, password, cookie: true } }), 422, "validation");
	});

	test("a repetition with its Idempotency-Key sets the same cookies again", async () => {
		const { email, password } = await person(url, "Ana");
		const headers = { "Idempotency-Key": "once" };
		const ask = () => http(url, "/api/auth/login?cookie=true", { body: { email, password }, headers });
		assert.deepEqual((await ask()).headers.getSetCookie(), (await ask()).headers.getSetCookie());
	});
});

describe("a session in cookies", () => {
	test("reads, and with the header writes", async () => {
		const ana = await signedIn();
		is(await ana.ask("GET", "/api/auth/me"), 200);
		is(await ana.post("/api/groups", { name: "Menders", isPublic: true }), 201);
	});

	test("refuses whatever changes something without the session's own CSRF token", async () => {
		const [ana, eve] = [await signedIn(), await signedIn()];
		const group = { name: "Menders", isPublic: true };
		const write = (headers: Record<string, string>) => ana.ask("POST", "/api/groups", group, headers);
		is(await write({}), 403, "csrf");
		for (const forged of ["", "x", ana.csrf.slice(0, -1), `${ana.csrf}x`, ana.csrf.split(".")[0] as string, eve.csrf])
			is(await write({ "X-CSRF-Token": forged }), 403, "csrf");
		// Somebody puts their own token into the cookie as well: it is another session's.
		const tossed = ana.cookie("/api/groups").replace(ana.csrf, eve.csrf);
		is(await write({ "X-CSRF-Token": eve.csrf, Cookie: tossed }), 403, "csrf");
		const alone = ana.cookie("/api/groups").replace(/; reloop_csrf=.*/, "");
		is(await write({ "X-CSRF-Token": ana.csrf, Cookie: alone }), 403, "csrf");
		for (const method of ["DELETE", "PATCH", "PUT"])
			is(
				await ana.ask(method, "/api/groups/00000000-0000-4000-8000-000000000000", method === "DELETE" ? undefined : {}),
				method === "PUT" ? 405 : 403,
				method === "PUT" ? "method-not-allowed" : "csrf",
			);
	});

	test("refuses a page of another origin, even one that knows the token; a friend's is let in", async () => {
		const ana = await signedIn();
		const body = { name: "Menders", isPublic: true };
		for (const Origin of ["https://evil.example", "null"]) is(await ana.post("/api/groups", body, { Origin }), 403, "origin");
		const reply = is(await ana.post("/api/groups", body, { Origin: FRIEND }), 201);
		assert.equal(reply.headers.get("access-control-allow-credentials"), "true");
		const evil = await http(url, "/live", { headers: { Origin: "https://evil.example" } });
		assert.equal(evil.headers.get("access-control-allow-credentials"), null);
		const login = { email: ana.email, password: ana.password };
		is(await http(url, "/api/auth/login?cookie=true", { body: login, headers: { Origin: "https://evil.example" } }), 403, "origin");
	});

	test("gives way to a Bearer header, which needs no CSRF token", async () => {
		const [ana, ben] = [await signedIn(), await person(url, "Ben")];
		const headers = { Authorization: `Bearer ${ben.accessToken}` };
		assert.equal(is(await ana.ask("GET", "/api/auth/me", undefined, headers), 200).body.account.email, ben.email);
		is(await ana.ask("POST", "/api/groups", { name: "Menders", isPublic: true }, headers), 201);
		is(await ana.ask("GET", "/api/auth/me", undefined, { Authorization: "Bearer nonsense" }), 401, "invalid-token");
	});

	test("is renewed by its cookie, with the CSRF token of that session and no other", async () => {
		const [ana, eve] = [await signedIn(), await signedIn()];
		const [before, csrf] = [ana.jar.get("reloop_rt")?.value, ana.csrf];
		is(await ana.ask("POST", "/api/auth/refresh"), 403, "csrf");
		is(await ana.ask("POST", "/api/auth/refresh", undefined, { "X-CSRF-Token": eve.csrf }), 403, "csrf");
		const noAccess = `reloop_rt=${before}; reloop_csrf=${eve.csrf}`;
		is(await ana.ask("POST", "/api/auth/refresh", undefined, { "X-CSRF-Token": eve.csrf, Cookie: noAccess }), 403, "csrf");
		const reply = is(await ana.post("/api/auth/refresh"), 200);
		assert.deepEqual(reply.body, {}, "what came in a cookie goes into cookies");
		assert.notEqual(ana.jar.get("reloop_rt")?.value, before);
		assert.equal(ana.csrf, csrf, "the same session");
		is(await ana.ask("GET", "/api/auth/me"), 200);
		ana.jar.delete("reloop_at");
		is(await ana.post("/api/auth/refresh"), 200);
		is(await ana.post("/api/groups", { name: "Menders", isPublic: true }), 201);
		is(await http(url, "/api/auth/refresh", { method: "POST" }), 422, "validation");
	});

	test("is renewed into cookies from a body, too, where that is asked for", async () => {
		const ben = await person(url, "Ben");
		const browser = new Browser(url);
		is(await browser.ask("POST", "/api/auth/refresh?cookie=true", { refreshToken: ben.refreshToken }), 200);
		is(await browser.ask("GET", "/api/auth/me"), 200);
	});

	test("that is over leaves no cookie behind: after a logout, and after a renewal in vain", async () => {
		const ana = await signedIn();
		const kept = ana.cookie("/api/auth/refresh");
		const csrf = ana.csrf;
		is(await ana.ask("POST", "/api/auth/logout"), 403, "csrf");
		is(await ana.post("/api/auth/logout"), 204);
		assert.deepEqual([...ana.jar.keys()], []);
		const late = new Browser(url);
		const reply = await late.ask("POST", "/api/auth/refresh", undefined, { Cookie: kept, "X-CSRF-Token": csrf });
		assert.equal(is(reply, 401, "invalid-token").headers.getSetCookie().length, 3);
		for (const line of reply.headers.getSetCookie()) assert.match(line, /Max-Age=0/);
	});
});

describe("session fixation", () => {
	/** Each way in, as a browser goes it. */
	const ways: Record<string, (as: (path: string, body: unknown) => Promise<Reply>) => Promise<string>> = {
		login: async (as) => {
			const { email, password } = await person(url, "Ana");
			is(await as("/api/auth/login", { email, password }), 200);
			return email;
		},
		registration: async (as) => {
			const { email, password } = await person(url, "Ana");
			is(await as("/api/auth/register", { email: `new-${email}`, password, displayName: "Ana" }), 201);
			return `new-${email}`;
		},
		"login in two steps": async (as) => {
			const ana = await person(url, "Ana");
			const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
			const { recoveryCodes } = is(await ana.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200).body;
			const { ticket } = is(await as("/api/auth/login", { email: ana.email, password: ana.password }), 200).body;
			is(await as("/api/auth/mfa/login", { ticket, method: "recovery", code: recoveryCodes[0] }), 200);
			return ana.email;
		},
	};
	for (const [way, enter] of Object.entries(ways)) {
		test(`what was in the cookies before a ${way} is never adopted`, async () => {
			const eve = await signedIn();
			const planted = eve.cookie("/api/auth/refresh");
			const victim = new Browser(url);
			const email = await enter((path, body) => victim.ask("POST", `${path}?cookie=true`, body, { Cookie: planted }));
			assert.notEqual(decodeJwt(victim.token).sid, decodeJwt(eve.token).sid);
			assert.notEqual(victim.csrf, eve.csrf);
			assert.notEqual(victim.jar.get("reloop_rt")?.value, eve.jar.get("reloop_rt")?.value);
			assert.equal((await victim.ask("GET", "/api/auth/me")).body.account.email, email);
			assert.equal((await eve.ask("GET", "/api/auth/me")).body.account.email, eve.email);
			// One planted beside ours is no reason to believe either.
			const both = `reloop_at=${eve.token}; ${victim.cookie("/api")}`;
			is(await victim.ask("GET", "/api/auth/me", undefined, { Cookie: both }), 401, "unauthenticated");
		});
	}
});

describe("a socket with the cookie", () => {
	const connect = (headers: Record<string, string>, transports = ["websocket"]): Promise<string> => {
		const socket = io(url, { transports, forceNew: true, reconnection: false, extraHeaders: headers });
		return new Promise((resolve) => {
			const done = (how: string) => {
				socket.close();
				resolve(how);
			};
			socket.once("connect", () => done("connected"));
			socket.once("connect_error", (error: Error & { data?: { code: string } }) => done(error.data?.code ?? error.message));
		});
	};

	test("is for pages of ours: without an Origin, or with another's, nobody comes in", async () => {
		const ana = await signedIn();
		const Cookie = ana.cookie("/socket.io");
		for (const transports of [["websocket"], ["polling"]]) {
			for (const Origin of [url, FRIEND]) assert.equal(await connect({ Cookie, Origin }, transports), "connected");
			assert.equal(await connect({ Cookie, Origin: "https://evil.example" }, transports), "origin");
			assert.equal(await connect({ Cookie, Origin: "null" }, transports), "origin");
			assert.equal(await connect({ Cookie }, transports), "origin");
		}
		assert.equal(await connect({ Origin: url }), "unauthenticated");
		is(await ana.post("/api/auth/logout"), 204);
		await eventually(async () => assert.equal(await connect({ Cookie, Origin: url }), "invalid-token"), 3_000);
	});
});
