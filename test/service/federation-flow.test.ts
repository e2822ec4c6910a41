// Signing in with a browser at a real OpenID Connect provider: the code flow from its begin to the tokens, and what thieves try.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { decodeJwt } from "jose";
import { database } from "../../mixins/postgres.ts";
import { freshDatabase } from "../support/database.ts";
import { foreignIssuers } from "../support/foreign-issuer.ts";
import { http, is, person, startTestApp } from "../support/kit.ts";
import { Browser, CLIENT, freePort, realProvider } from "../support/oidc-provider.ts";

const port = await freePort();
const home = `http://localhost:${port}`;
const pages = "https://pages.example";
const native = "http://127.0.0.1/native";
const callbackOf = (name: string) => `${home}/api/auth/oidc/${name}/callback`;
const real = await realProvider([callbackOf("real"), native]);
const shy = await realProvider([callbackOf("shy")], { inIdToken: false });
const { sly, environment } = await foreignIssuers("sly");

const own = await freshDatabase();
const start = () =>
	startTestApp({
		...environment,
		OIDC_REAL_ISSUER: real.issuer,
		OIDC_REAL_CLIENT_ID: CLIENT.id,
		OIDC_REAL_CLIENT_SECRET: CLIENT.secret,
		OIDC_SHY_ISSUER: shy.issuer,
		OIDC_SHY_CLIENT_ID: CLIENT.id,
		OIDC_SHY_CLIENT_SECRET: CLIENT.secret,
		CORS_ORIGINS: pages,
		PORT: String(port),
		DATABASE_URL: own.ownerUrl,
	});
let app = await start();
after(async () => {
	await app.stop();
	await own.close();
});

const someone = (provider: typeof real, email_verified = true) => {
	const login = `user-${randomUUID()}`;
	const email = `${login}@example.org`;
	provider.people.set(login, { email, email_verified, name: "Ana Sá" });
	return { login, email };
};
const startAt = (name: string, query = "") => `${home}/api/auth/oidc/${name}/start${query}`;
const exchange = (code: string, more: object = {}) => http(home, "/api/auth/oidc/exchange", { body: { code, ...more } });
/** The page that a browser comes back to, and the code in its fragment. */
const arrived = (location: string | null) => {
	const url = new URL(location ?? "");
	return { page: `${url.origin}${url.pathname}${url.search}`, code: new URLSearchParams(url.hash.slice(1)).get("code") ?? "" };
};
/** The whole of it: from the first click to the code. */
async function flow(browser: Browser, login: string, { name = "real", query = "" } = {}) {
	const back = await browser.signIn(startAt(name, query), login, callbackOf(name));
	const answer = await browser.ask(back);
	assert.equal(answer.status, 302, await answer.text());
	return { back, ...arrived(answer.headers.get("location")) };
}
const refused = async (answer: Response, status: number, code: string) => {
	const body = (await answer.json()) as Record<string, unknown>;
	assert.deepEqual([answer.status, body.code], [status, code], JSON.stringify(body));
	assert.equal(answer.headers.get("location"), null);
	return body;
};
/** The page that began hears what went wrong, in the fragment, and the flow is over. */
const turnedBack = async (answer: Response, code: string, page = `${home}/`) => {
	assert.equal(answer.status, 302, await answer.text());
	const to = new URL(answer.headers.get("location") ?? "");
	assert.equal(`${to.origin}${to.pathname}${to.search}`, page);
	const said = Object.fromEntries(new URLSearchParams(to.hash.slice(1)));
	assert.deepEqual([said.error, "code" in said], [code, false]);
	assert.ok((said.error_description ?? "").length > 0);
	return said;
};

describe("a browser", () => {
	test("begins with state, nonce and a PKCE challenge, and a cookie that no script sees", async () => {
		const answer = await fetch(startAt("real", "?redirect=/groups"), { redirect: "manual" });
		assert.equal(answer.status, 302);
		const to = new URL(answer.headers.get("location") ?? "");
		assert.equal(to.origin, real.issuer);
		const said = Object.fromEntries(to.searchParams);
		assert.deepEqual(
			[said.response_type, said.client_id, said.redirect_uri, said.scope, said.code_challenge_method],
			["code", CLIENT.id, callbackOf("real"), "openid profile email", "S256"],
		);
		for (const name of ["state", "nonce", "code_challenge"]) assert.ok((said[name] ?? "").length >= 43, name);
		const [cookie = ""] = answer.headers.getSetCookie();
		assert.match(cookie, /^reloop_oidc=[\w.-]+; Path=\/api\/auth\/oidc; Max-Age=600; HttpOnly; SameSite=Lax$/);
		for (const secret of [said.state, said.nonce, "groups"]) assert.ok(!cookie.includes(secret as string));
		assert.equal(answer.headers.get("cache-control"), "no-store");
	});

	test("signs in, and gets its tokens for a code that is in no query", async () => {
		const { login, email } = someone(real);
		const browser = new Browser();
		const { page, code, back } = await flow(browser, login, { query: `?redirect=${encodeURIComponent("/groups?tab=1")}` });
		assert.equal(page, `${home}/groups?tab=1`);
		const first = is(await exchange(code), 200).body;
		assert.deepEqual([first.account.email, first.account.state, first.created], [email, "active", true]);
		assert.equal(is(await http(home, "/api/auth/me", { token: first.tokens.accessToken }), 200).body.profile.displayName, "Ana Sá");
		// The cookie is gone; the callback is good for nothing any more.
		assert.equal(browser.cookies(home).get("reloop_oidc"), undefined);
		await refused(await browser.ask(back), 400, "bad-state");
		const again = is(await exchange((await flow(new Browser(), login)).code), 200).body;
		assert.deepEqual([again.account.id, again.created], [first.account.id, false]);
	});

	test("comes back to a page of CORS_ORIGINS, and to no stranger's", async () => {
		const { login } = someone(real);
		const { page } = await flow(new Browser(), login, { query: `?redirect=${encodeURIComponent(`${pages}/in`)}` });
		assert.equal(page, `${pages}/in`);
		for (const evil of [
			"https://evil.example",
			"//evil.example",
			"/\\evil.example",
			`${pages}.evil.example`,
			"javascript:alert(1)",
			"/x#code=mine",
		])
			await refused(await fetch(startAt("real", `?redirect=${encodeURIComponent(evil)}`), { redirect: "manual" }), 422, "validation");
	});

	test("may sign in in two tabs at once", async () => {
		const [{ login: one }, browser] = [someone(real), new Browser()];
		const first = await browser.signIn(startAt("real"), one, callbackOf("real"));
		const second = await browser.signIn(startAt("real"), one, callbackOf("real"));
		assert.equal((await browser.ask(first)).status, 302);
		assert.equal((await browser.ask(second)).status, 302);
	});

	test("may end at one process what it began at another", async () => {
		const { login } = someone(real);
		const browser = new Browser();
		const back = await browser.signIn(startAt("real"), login, callbackOf("real"));
		await app.stop();
		app = await start();
		const answer = await browser.ask(back);
		is(await exchange(arrived(answer.headers.get("location")).code), 200);
	});

	test("is let in by an issuer that keeps the e-mail for its userinfo", async () => {
		const { login, email } = someone(shy);
		const { code } = await flow(new Browser(), login, { name: "shy" });
		assert.equal(is(await exchange(code), 200).body.account.email, email);
	});

	test("learns which providers there are", async () => {
		const { data } = (await http(home, "/api/auth/oidc")).body;
		assert.deepEqual(
			data,
			["sly", "real", "shy"].map((provider) => ({ provider, start: `/api/auth/oidc/${provider}/start` })),
		);
		await refused(await fetch(startAt("nobody"), { redirect: "manual" }), 404, "not-found");
		await refused(await fetch(callbackOf("nobody"), { redirect: "manual" }), 404, "not-found");
	});

	test("gets no tokens for somebody who is banned, and the account's e-mail is not taken by an unverified one", async () => {
		const { login, email } = someone(real);
		const { code } = await flow(new Browser(), login);
		const { account } = is(await exchange(code), 200).body;
		await database("identity").query("update accounts set state = 'banned' where id = $1", [account.id]);
		const browser = new Browser();
		const query = `?redirect=${encodeURIComponent("/in?tab=1")}`;
		const back = await browser.signIn(startAt("real", query), login, callbackOf("real"));
		await turnedBack(await browser.ask(back), "banned", `${home}/in?tab=1`);
		await refused(await browser.ask(back), 400, "bad-state");
		const { login: thief } = someone(real, false);
		real.people.set(thief, { email, email_verified: false, name: "Eve" });
		const other = new Browser();
		await turnedBack(await other.ask(await other.signIn(startAt("real"), thief, callbackOf("real"))), "link-required");
	});
});

test("the provider's keys change in the middle, and nobody notices", async () => {
	const { login } = someone(real);
	const before = is(await exchange((await flow(new Browser(), login)).code), 200).body;
	await real.rotate();
	const after = is(await exchange((await flow(new Browser(), login)).code), 200).body;
	assert.deepEqual([after.account.id, after.created], [before.account.id, false]);
});

test("an app of its own signs in with the ID token it got from the provider", async () => {
	const { login, email } = someone(real);
	const verifier = "v".repeat(50);
	const nonce = randomUUID();
	const query = new URLSearchParams({
		client_id: CLIENT.id,
		redirect_uri: native,
		response_type: "code",
		scope: "openid profile email",
		nonce,
		code_challenge: createHash("sha256").update(verifier).digest("base64url"),
		code_challenge_method: "S256",
	});
	const back = await new Browser().signIn(`${real.issuer}/auth?${query}`, login, native);
	const body = new URLSearchParams({
		grant_type: "authorization_code",
		code: new URL(back).searchParams.get("code") ?? "",
		redirect_uri: native,
		code_verifier: verifier,
	});
	const Authorization = `Basic ${Buffer.from(`${CLIENT.id}:${encodeURIComponent(CLIENT.secret).replaceAll("%20", "+")}`).toString("base64")}`;
	const answer = (await (await fetch(`${real.issuer}/token`, { method: "POST", body, headers: { Authorization } })).json()) as {
		id_token: string;
	};
	assert.equal(decodeJwt(answer.id_token).nonce, nonce);
	const signIn = (more: object) => http(home, "/api/auth/federated", { body: { provider: "real", idToken: answer.id_token, ...more } });
	is(await signIn({ nonce: "another" }), 401, "invalid-token");
	assert.equal(is(await signIn({ nonce }), 200).body.account.email, email);
});

describe("a callback is refused", () => {
	const begun = async () => {
		const { login } = someone(real);
		const browser = new Browser();
		return { browser, login, back: await browser.signIn(startAt("real"), login, callbackOf("real")) };
	};
	const state = async (browser: Browser) =>
		new URL((await browser.ask(startAt("real"))).headers.get("location") ?? "").searchParams.get("state") ?? "";

	test("without the cookie of who began: a thief's code signs nobody else in", async () => {
		const { back } = await begun();
		await refused(await fetch(back, { redirect: "manual" }), 400, "bad-state");
		const { browser } = await begun();
		await refused(await browser.ask(back), 400, "bad-state");
	});

	test("with another state, none, or a cookie that is no word of ours", async () => {
		const { browser, back } = await begun();
		const url = new URL(back);
		url.searchParams.set("state", "x".repeat(43));
		await refused(await browser.ask(url.href), 400, "bad-state");
		url.searchParams.delete("state");
		await refused(await browser.ask(url.href), 400, "bad-state");
		const cookie = browser.cookies(home).get("reloop_oidc") as string;
		for (const forged of [
			"",
			"x",
			`${cookie}x`,
			cookie.slice(0, -4),
			"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0....",
			`${cookie}; reloop_oidc=x`,
		])
			await refused(await fetch(back, { redirect: "manual", headers: { Cookie: `reloop_oidc=${forged}` } }), 400, "bad-state");
		assert.equal((await browser.ask(back)).status, 302);
	});

	test("at another provider than it was begun at", async () => {
		const { browser, back } = await begun();
		await refused(await browser.ask(back.replace("/real/", "/shy/")), 400, "bad-state");
	});

	test("when the person said no, with the issuer's word for it and no more", async () => {
		const browser = new Browser();
		const query = `error=access_denied&error_description=${encodeURIComponent("<script>")}&state=${await state(browser)}&iss=${encodeURIComponent(real.issuer)}`;
		const body = await turnedBack(await browser.ask(`${callbackOf("real")}?${query}`), "sign-in-refused");
		assert.equal(body.issuer_error, "access_denied");
		assert.ok(!JSON.stringify(body).includes("<script"));
	});

	test("with a code that was used, or that nobody gave", async () => {
		const { browser, back } = await begun();
		const cookie = browser.cookies(home).get("reloop_oidc") as string;
		assert.equal((await browser.ask(back)).status, 302);
		// Whoever kept both, the cookie and the address: the issuer gives nothing for a code twice.
		const again = await turnedBack(
			await fetch(back, { redirect: "manual", headers: { Cookie: `reloop_oidc=${cookie}` } }),
			"sign-in-refused",
		);
		assert.equal(again.issuer_error, "invalid_grant");
		const other = new Browser();
		const made = `${callbackOf("real")}?code=made-up&state=${await state(other)}&iss=${encodeURIComponent(real.issuer)}`;
		await turnedBack(await other.ask(made), "sign-in-refused");
	});

	test("with the answer of another issuer (mix-up), or none at all", async () => {
		const { browser, back } = await begun();
		const url = new URL(back);
		url.searchParams.set("iss", "https://evil.example");
		await turnedBack(await browser.ask(url.href), "sign-in-refused");
		const { browser: second, back: silent } = await begun();
		const without = new URL(silent);
		without.searchParams.delete("iss");
		await turnedBack(await second.ask(without.href), "sign-in-refused");
		const other = new Browser();
		await turnedBack(await other.ask(`${callbackOf("real")}?state=${await state(other)}`), "bad-state");
	});

	test("when the issuer's token endpoint lies, is silent or answers nonsense", async () => {
		const browser = new Browser();
		const claims = { sub: randomUUID(), email: `${randomUUID()}@example.org` };
		const answer = (idToken: string) => JSON.stringify({ access_token: "a", token_type: "Bearer", id_token: idToken });
		const cases: [string, string][] = [
			["<html>", "issuer-unavailable"],
			["{}", "sign-in-refused"],
			[answer("a.b.c"), "issuer-unavailable"],
			[answer(await sly.token(claims)), "sign-in-refused"],
			[answer(await sly.token({ ...claims, nonce: "another" })), "invalid-token"],
		];
		for (const [body, code] of cases) {
			sly.instead.set("/token", (_req, res) => res.setHeader("Content-Type", "application/json").end(body));
			const begun = new URL((await browser.ask(startAt("sly"))).headers.get("location") ?? "");
			const back = `${callbackOf("sly")}?code=c&state=${begun.searchParams.get("state")}`;
			const heard = await browser.ask(back);
			await turnedBack(heard, code);
		}
		sly.instead.set("/token", (_req, res) => res.writeHead(307, { Location: `${sly.issuer}/elsewhere` }).end());
		const begun = new URL((await browser.ask(startAt("sly"))).headers.get("location") ?? "");
		const heard = await browser.ask(`${callbackOf("sly")}?code=c&state=${begun.searchParams.get("state")}`);
		assert.match(heard.headers.get("location") ?? "", /#error=/);
		assert.ok(!sly.asked.includes("/elsewhere"));
	});
});

describe("a code of a fragment", () => {
	const codeOf = async (query = "") => (await flow(new Browser(), someone(real).login, { query })).code;

	test("is good once, also for many at once, and for a minute", async () => {
		const code = await codeOf();
		const replies = await Promise.all(Array.from({ length: 5 }, () => exchange(code)));
		assert.equal(replies.filter(({ status }) => status === 200).length, 1);
		for (const reply of replies) if (reply.status !== 200) is(reply, 401, "invalid-token");
		const late = await codeOf();
		await database("identity").query("update sign_in_codes set expires_at = expires_at - interval '60 s'");
		is(await exchange(late), 401, "invalid-token");
		is(await exchange("made-up"), 401, "invalid-token");
	});

	test("keeps its answer for an Idempotency-Key", async () => {
		const [body, headers] = [{ code: await codeOf() }, { "Idempotency-Key": randomUUID() }];
		const first = is(await http(home, "/api/auth/oidc/exchange", { body, headers }), 200);
		assert.deepEqual((await http(home, "/api/auth/oidc/exchange", { body, headers })).body, first.body);
	});

	test("is only for the page that began, where that page has set a challenge", async () => {
		const verifier = "w".repeat(43);
		const challenge = createHash("sha256").update(verifier).digest("base64url");
		const code = await codeOf(`?challenge=${challenge}`);
		is(await exchange(code), 401, "invalid-token");
		is(await exchange(code, { verifier: "x".repeat(43) }), 401, "invalid-token");
		is(await exchange(code, { verifier }), 200);
	});

	test("is kept as a hash, and a banned account gets nothing for it", async () => {
		const { login, email } = someone(real);
		const { code } = await flow(new Browser(), login);
		const rows = await database("identity").query<{ row: string }>("select c::text as row from sign_in_codes c");
		for (const { row } of rows) assert.ok(!row.includes(code) && !row.includes(Buffer.from(code).toString("hex")));
		await database("identity").query("update accounts set state = 'banned' where email = $1", [email]);
		is(await exchange(code), 403, "banned");
	});
});

describe("who is signed in links by the browser", () => {
	const secret = "s".repeat(43);
	const challenge = createHash("sha256").update(secret).digest("base64url");
	const linkAs = (token: string, body: object) => http(home, "/api/auth/federated/link", { token, body });
	const ana = async () => {
		const made = await person(home, "Ana");
		await database("identity").query("update accounts set state = 'active' where id = $1", [made.accountId]);
		return made;
	};

	test("what the browser brought, to nobody else's account, once", async () => {
		const { login, email } = someone(real);
		const me = await ana();
		const { code } = await flow(new Browser(), login, { query: `?link=true&challenge=${challenge}` });
		is(await exchange(code, { verifier: secret }), 401, "invalid-token");
		is(await linkAs(me.accessToken, { code }), 401, "invalid-token");
		const linked = is(await linkAs(me.accessToken, { code, verifier: secret }), 201).body;
		assert.deepEqual([linked.provider, linked.email], ["real", email]);
		is(await linkAs(me.accessToken, { code, verifier: secret }), 401, "invalid-token");
		const signedIn = is(await exchange((await flow(new Browser(), login)).code), 200).body;
		assert.deepEqual([signedIn.account.id, signedIn.created], [me.accountId, false]);
	});

	test("only with a secret of the page that began: a stranger's code is no way into one's account", async () => {
		await refused(await fetch(startAt("real", "?link=true"), { redirect: "manual" }), 422, "validation");
		const me = await ana();
		// A code to sign in links nothing.
		const { code } = await flow(new Browser(), someone(real).login, { query: `?challenge=${challenge}` });
		is(await linkAs(me.accessToken, { code, verifier: secret }), 401, "invalid-token");
		is(await linkAs(me.accessToken, {}), 422, "validation");
		is(await linkAs(me.accessToken, { provider: "real" }), 422, "validation");
	});
});
