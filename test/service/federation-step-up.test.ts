// Saying once more who one is, at a real OpenID Connect provider: for whoever has no password here. All of it behind a gateway that
// has the platform under a path, as browsers see it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { decodeJwt } from "jose";
import { database } from "../../mixins/postgres.ts";
import { foreignIssuers } from "../support/foreign-issuer.ts";
import { http as ask, is, testApp } from "../support/kit.ts";
import { Browser, CLIENT, freePort, realProvider } from "../support/oidc-provider.ts";

const port = await freePort();
const BASE = "/reloop";
/** Takes its path away, as gateways do. */
const gateway = createServer((req, res) => {
	const path = (req.url ?? "").startsWith(`${BASE}/`) ? (req.url ?? "").slice(BASE.length) : "/nowhere";
	const passed = request({ port, host: "127.0.0.1", path, method: req.method ?? "GET", headers: req.headers }, (answer) => {
		res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
		answer.pipe(res);
	});
	req.pipe(passed);
});
await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
after(() => {
	gateway.closeAllConnections();
	gateway.close();
});
const home = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}${BASE}`;
const callback = `${home}/api/auth/oidc/real/callback`;
const real = await realProvider([callback]);
const { sly, environment } = await foreignIssuers("sly");
await testApp({
	...environment,
	OIDC_REAL_ISSUER: real.issuer,
	OIDC_REAL_CLIENT_ID: CLIENT.id,
	OIDC_REAL_CLIENT_SECRET: CLIENT.secret,
	PUBLIC_URL: home,
	PORT: String(port),
});
const http = (path: string, options: Parameters<typeof ask>[2] = {}) => ask(`http://127.0.0.1:${port}`, path, options);

const someone = () => {
	const login = `user-${randomUUID()}`;
	real.people.set(login, { email: `${login}@example.org`, email_verified: true, name: "Ana" });
	return login;
};
const startAt = (query = "", name = "real") => `${home}/api/auth/oidc/${name}/start${query}`;
const STEP_UP = "?stepUp=true";
const fragmentOf = (answer: Response) =>
	Object.fromEntries(new URLSearchParams(new URL(answer.headers.get("location") ?? "").hash.slice(1)));
/** From the first click to what the page is told. */
async function flow(browser: Browser, login: string, query = ""): Promise<Record<string, string>> {
	const answer = await browser.ask(await browser.signIn(startAt(query), login, callback));
	assert.equal(answer.status, 302, await answer.text());
	return fragmentOf(answer);
}
const exchange = (code: string | undefined, token?: string) => http("/api/auth/oidc/exchange", { body: { code }, token });

/** Signed in, but an hour ago. */
async function longAgo(tokens: { accessToken: string; refreshToken: string }): Promise<string> {
	const { sid } = decodeJwt(tokens.accessToken);
	await database("identity").query("update sessions set auth_time = now() - interval '1 hour' where id = $1", [sid]);
	return is(await http("/api/auth/refresh", { body: { refreshToken: tokens.refreshToken } }), 200).body.tokens.accessToken;
}
async function signedInLongAgo(login = someone(), browser = new Browser()) {
	const { account, tokens } = is(await exchange((await flow(browser, login)).code), 200).body;
	return { login, browser, accountId: account.id as string, token: await longAgo(tokens) };
}
const dangerous = (token: string) => http("/api/auth/mfa/totp", { method: "POST", token });

test("a browser's cookie of what it has begun comes back to the path that it knows", async () => {
	const answer = await fetch(startAt(), { redirect: "manual" });
	assert.equal(new URL(answer.headers.get("location") ?? "").searchParams.get("redirect_uri"), callback);
	assert.match(answer.headers.getSetCookie()[0] ?? "", /; Path=\/reloop\/api\/auth\/oidc; /);
});

describe("a step-up at an issuer", () => {
	test("opens what asks for it, in the same session, to somebody without a password", async () => {
		const { login, browser, token } = await signedInLongAgo();
		is(await dangerous(token), 403, "step-up-required");
		const to = new URL((await browser.ask(startAt(STEP_UP))).headers.get("location") ?? "");
		assert.deepEqual([to.searchParams.get("prompt"), to.searchParams.get("max_age")], ["login", "0"]);
		// The provider knows the browser, and asks it again.
		const { code } = await flow(browser, login, STEP_UP);
		const { body } = is(await exchange(code, token), 200);
		const [before, now] = [decodeJwt(token), decodeJwt(body.tokens.accessToken)];
		assert.deepEqual([now.sid, now.sub, now.acr, body.created], [before.sid, before.sub, "2", false]);
		assert.ok(Number(now.auth_time) > Date.now() / 1000 - 300);
		is(await dangerous(body.tokens.accessToken), 201);
		is(await exchange(code, token), 401, "invalid-token");
	});

	test("is for a session of the person's own, and for no other's", async () => {
		const { login, token } = await signedInLongAgo();
		const { code } = await flow(new Browser(), login, STEP_UP);
		is(await exchange(code), 401, "unauthenticated");
		const eve = await signedInLongAgo();
		is(await exchange(code, eve.token), 401, "invalid-credentials");
		is(await http("/api/auth/federated/link", { token, body: { code } }), 403, "step-up-required");
		const { body } = is(await exchange(code, token), 200);
		const { code: second } = await flow(new Browser(), login, STEP_UP);
		is(await http("/api/auth/federated/link", { token: body.tokens.accessToken, body: { code: second } }), 401, "invalid-token");
	});

	test("makes no account and links none: whoever is not known is turned back", async () => {
		const stranger = someone();
		const said = await flow(new Browser(), stranger, STEP_UP);
		assert.equal(said.error, "sign-in-refused");
		const made = await database("identity").query("select 1 from accounts where email = $1", [`${stranger}@example.org`]);
		assert.deepEqual(made, []);
	});

	test("is refused to whoever is banned, and cannot be begun to link", async () => {
		const { login, accountId } = await signedInLongAgo();
		await database("identity").query("update accounts set state = 'banned' where id = $1", [accountId]);
		assert.equal((await flow(new Browser(), login, STEP_UP)).error, "banned");
		const answer = await fetch(startAt(`?stepUp=true&link=true&challenge=${"c".repeat(43)}`), { redirect: "manual" });
		assert.equal(answer.status, 422);
	});

	test("counts where the issuer has asked anew: not by a token that does not say when, or says before", async () => {
		const claims = { sub: randomUUID(), email: `${randomUUID()}@example.org` };
		const seconds = () => Math.floor(Date.now() / 1000);
		const come = async (query: string, more: object) => {
			const browser = new Browser();
			const begun = new URL((await browser.ask(startAt(query, "sly"))).headers.get("location") ?? "");
			const idToken = await sly.token({ ...claims, nonce: begun.searchParams.get("nonce"), ...more });
			const body = JSON.stringify({ access_token: "a", token_type: "Bearer", id_token: idToken });
			sly.instead.set("/token", (_req, res) => res.setHeader("Content-Type", "application/json").end(body));
			return fragmentOf(await browser.ask(`${home}/api/auth/oidc/sly/callback?code=c&state=${begun.searchParams.get("state")}`));
		};
		const { tokens } = is(await exchange((await come("", {})).code), 200).body;
		const token = await longAgo(tokens);
		for (const auth_time of [undefined, seconds() - 60]) assert.equal((await come(STEP_UP, { auth_time })).error, "step-up-required");
		// A clock that goes before ours makes nobody fresh for longer.
		const { body } = is(await exchange((await come(STEP_UP, { auth_time: seconds() + 3600 })).code, token), 200);
		assert.ok(Number(decodeJwt(body.tokens.accessToken).auth_time) <= seconds());
	});
});
