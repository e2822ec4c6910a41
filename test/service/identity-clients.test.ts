// Registered clients: what they are given, where they get with it, and what they are told of tokens.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { callAction } from "../../mixins/call.ts";
import { database } from "../../mixins/postgres.ts";
import { ask, basic, makeClient, official, tokenOf } from "../support/clients.ts";
import { connect, eventually, http, is, person, testApp } from "../support/kit.ts";

const app = await testApp();
const admin = await official(app);
const { url } = app;
const sql = <R = Record<string, unknown>>(text: string, values: unknown[]) => database("identity").query<R>(text, values);
const me = (token: string) => http(url, "/api/admin/clients", { token });
const introspect = async (token: string, by: { clientId: string; clientSecret: string }) =>
	is(await ask(url, "/api/auth/introspect", { token }, by), 200).body;

describe("registering a client", () => {
	test("shows its secret once, keeps none, and is in the audit", async () => {
		const made = is(await admin.post("/api/admin/clients", { name: "Billing", scopes: ["ops:read"] }), 201).body;
		assert.ok(made.clientSecret.length >= 43);
		const listed = (await admin.get("/api/admin/clients")).body.data.find((one: { clientId: string }) => one.clientId === made.clientId);
		const { clientSecret, ...shown } = made;
		assert.deepEqual(listed, shown);
		assert.deepEqual([shown.name, shown.scopes, shown.rotatedAt, shown.lastUsedAt], ["Billing", ["ops:read"], null, null]);
		const [row] = await sql<{ text: string }>("select c::text as text from clients c where id = $1", [made.clientId]);
		for (const form of [clientSecret, Buffer.from(clientSecret).toString("hex")]) assert.ok(!row?.text.includes(form));
		const [entry] = await sql<{ action: string; detail: object }>("select action, detail from audit where target = $1", [made.clientId]);
		assert.deepEqual(entry, { action: "client.create", detail: { name: "Billing", scopes: ["ops:read"] } });
	});

	test("gives nobody's client more than they have: neither a scope, nor the secret of a client with more", async () => {
		is(await admin.post("/api/admin/clients", { name: "x", scopes: ["store:write"] }), 403, "forbidden");
		for (const scope of ["moon:write", "nonsense"])
			is(await admin.post("/api/admin/clients", { name: "x", scopes: [scope] }), 422, "validation");
		const strong = await makeClient(admin, ["ops:read"]);
		const weak = await tokenOf(url, await makeClient(admin, ["clients:write"]));
		const by = (path: string, body: unknown) => http(url, path, { token: weak, body });
		// What gives scopes away asks for a step-up, and a client is nobody who could.
		for (const scopes of [["ops:read"], ["clients:write"]])
			is(await by("/api/admin/clients", { name: "child", scopes }), 403, "needs-person");
		is(await by(`/api/admin/clients/${strong.clientId}/rotate-secret`, {}), 403, "needs-person");
	});

	test("asks whoever gives a secret out to have said lately who they are", async () => {
		const client = await makeClient(admin);
		const late = await official(app);
		await sql("update sessions set auth_time = now() - interval '6 minutes' where account_id = $1", [late.accountId]);
		const { tokens } = is(await http(url, "/api/auth/refresh", { body: { refreshToken: late.refreshToken } }), 200).body;
		const by = (path: string, body: unknown) => http(url, path, { token: tokens.accessToken, body });
		is(await by("/api/admin/clients", { name: "x", scopes: [] }), 403, "step-up-required");
		is(await by(`/api/admin/clients/${client.clientId}/rotate-secret`, {}), 403, "step-up-required");
	});

	test("is for those with the scope alone", async () => {
		const ana = await person(url, "Ana");
		is(await ana.get("/api/admin/clients"), 403, "forbidden");
		is(await ana.post("/api/admin/clients", { name: "x", scopes: [] }), 403, "forbidden");
		is(await http(url, "/api/admin/clients", { body: { name: "x", scopes: [] } }), 401, "unauthenticated");
		for (const body of [{}, { name: "", scopes: [] }, { name: "x" }, { name: "x", scopes: [], clientId: randomUUID() }])
			is(await admin.post("/api/admin/clients", body), 422, "validation");
		is(await admin.send("DELETE", `/api/admin/clients/${randomUUID()}`), 404, "not-found");
	});

	test("lists them page by page", async () => {
		for (let i = 0; i < 3; i++) await makeClient(admin);
		const first = (await admin.get("/api/admin/clients?limit=2")).body;
		const second = (await admin.get(`/api/admin/clients?limit=2&cursor=${first.nextCursor}`)).body;
		const ids = [...first.data, ...second.data].map(({ clientId }) => clientId);
		assert.equal(new Set(ids).size, 4);
		is(await admin.get("/api/admin/clients?cursor=x"), 400, "bad-cursor");
	});

	test("another secret ends the old one at once", async () => {
		const client = await makeClient(admin, ["ops:read"]);
		const rotated = is(await admin.post(`/api/admin/clients/${client.clientId}/rotate-secret`), 200).body;
		assert.notEqual(rotated.clientSecret, client.clientSecret);
		assert.ok(rotated.rotatedAt);
		assert.equal((await ask(url, "/api/auth/token", { grant_type: "client_credentials" }, client)).status, 401);
		await tokenOf(url, rotated);
	});

	test("removed, its tokens are refused within a second, at every door", async () => {
		const client = await makeClient(admin, ["clients:write"]);
		const [one, two] = [await tokenOf(url, client), await tokenOf(url, client)];
		for (const token of [one, two]) is(await me(token), 200);
		is(await admin.send("DELETE", `/api/admin/clients/${client.clientId}`), 204);
		await eventually(async () => {
			for (const token of [one, two]) is(await me(token), 401, "invalid-token");
		}, 3_000);
		assert.equal((await ask(url, "/api/auth/token", { grant_type: "client_credentials" }, client)).status, 401);
		const { sessions } = await callAction(app.broker, "identity.revocations", {});
		assert.ok(
			sessions.some(({ sessionId }) => sessionId === decodeJwt(one).sid),
			"a door that starts now hears of it too",
		);
	});
});

describe("client_credentials", () => {
	test("gives a token of the client's own: its scopes, no refresh token, no profile", async () => {
		const client = await makeClient(admin, ["ops:read", "clients:write"]);
		const reply = await ask(url, "/api/auth/token", { grant_type: "client_credentials" }, client);
		const { access_token, ...rest } = is(reply, 200).body;
		assert.deepEqual(rest, { token_type: "Bearer", expires_in: 600, scope: "ops:read clients:write" });
		assert.equal(reply.headers.get("cache-control"), "no-store");
		const { sub, client_id, profile, profiles, scope } = decodeJwt(access_token);
		assert.deepEqual(
			[sub, client_id, profile, profiles, scope],
			[client.clientId, client.clientId, undefined, undefined, "ops:read clients:write"],
		);
	});

	test("takes the credentials from the header or the body, a form or JSON", async () => {
		const { clientId, clientSecret } = await makeClient(admin);
		const inBody = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret };
		is(await ask(url, "/api/auth/token", inBody), 200);
		is(await http(url, "/api/auth/token", { body: inBody }), 200);
		is(await http(url, "/api/auth/token", { body: { grant_type: "client_credentials" }, headers: basic({ clientId, clientSecret }) }), 200);
		is(await ask(url, "/api/auth/token", { grant_type: "client_credentials", audience: "somebody" }, { clientId, clientSecret }), 200);
	});

	test("narrows the scopes to those asked for, and refuses more", async () => {
		const client = await makeClient(admin, ["ops:read", "clients:write"]);
		const token = await tokenOf(url, client, "ops:read");
		assert.equal(decodeJwt(token).scope, "ops:read");
		is(await me(token), 403, "forbidden");
		const more = await ask(url, "/api/auth/token", { grant_type: "client_credentials", scope: "ops:read terms:write" }, client);
		assert.deepEqual([more.status, more.body.error], [400, "invalid_scope"]);
	});

	test("refuses in the words of RFC 6749", async () => {
		const { clientId, clientSecret } = await makeClient(admin);
		const known = { clientId, clientSecret };
		const grant = { grant_type: "client_credentials" };
		const header = (value: string) => http(url, "/api/auth/token", { body: grant, headers: { Authorization: value } });
		const cases: [string, Promise<{ status: number; body: { error?: string }; headers: Headers }>, number, string][] = [
			["nobody", ask(url, "/api/auth/token", grant), 401, "invalid_client"],
			["an unknown client", ask(url, "/api/auth/token", grant, { clientId: randomUUID(), clientSecret }), 401, "invalid_client"],
			["a client that is no id", ask(url, "/api/auth/token", grant, { clientId: "me", clientSecret }), 401, "invalid_client"],
			["a wrong secret", ask(url, "/api/auth/token", grant, { clientId, clientSecret: "wrong" }), 401, "invalid_client"],
			["an empty secret", ask(url, "/api/auth/token", grant, { clientId, clientSecret: "" }), 401, "invalid_client"],
			["a header that is none", header("Basic ?"), 401, "invalid_client"],
			["a header without a colon", header(`Basic ${Buffer.from(clientId).toString("base64")}`), 401, "invalid_client"],
			["two ways at once", ask(url, "/api/auth/token", { ...grant, client_secret: clientSecret }, known), 400, "invalid_request"],
			["no grant", ask(url, "/api/auth/token", {}, known), 400, "invalid_request"],
			["another grant", ask(url, "/api/auth/token", { grant_type: "authorization_code" }, known), 400, "unsupported_grant_type"],
			[
				"a wrong refresh token",
				ask(url, "/api/auth/token", { grant_type: "refresh_token", refresh_token: "x" }, known),
				400,
				"invalid_grant",
			],
			[
				"a wrong client at another grant",
				ask(url, "/api/auth/token", { grant_type: "refresh_token", refresh_token: "x" }, { clientId, clientSecret: "wrong" }),
				401,
				"invalid_client",
			],
		];
		for (const [what, asked, status, error] of cases) {
			const reply = await asked;
			assert.deepEqual([reply.status, reply.body.error], [status, error], what);
			assert.equal(reply.headers.get("cache-control"), "no-store");
			assert.equal(/^Basic realm=/.test(reply.headers.get("www-authenticate") ?? ""), status === 401, what);
		}
	});

	test("opens what names a scope, and nothing that is a person's", async () => {
		const token = await tokenOf(url, await makeClient(admin, ["ops:read", "clients:write"]));
		const health = await http(url, "/api/identity/health", { token });
		assert.ok(health.body.checks, "details are for ops:read");
		is(await me(token), 200);
		for (const path of ["/api/auth/me", "/api/auth/sessions", "/api/profiles", "/api/groups", "/api/auth/validate"])
			is(await http(url, path, { token }), 403, "needs-person");
		for (const path of ["/api/groups", "/api/auth/logout", "/api/auth/tos/accept"])
			is(await http(url, path, { token, body: {} }), 403, "needs-person");
		is(await http(url, "/api/admin/tos", { token }), 403, "forbidden");
		await assert.rejects(connect(url, token), (error: Error & { problem: { code: string } }) => error.problem.code === "needs-person");
	});
});

describe("introspection", () => {
	test("tells a client of tokens that live, and nothing else of anybody", async () => {
		const [client, ana] = [await makeClient(admin), await person(url, "Ana")];
		const { exp, iat, jti, sid, scope } = decodeJwt(ana.accessToken);
		assert.deepEqual(await introspect(ana.accessToken, client), {
			active: true,
			scope,
			token_type: "Bearer",
			exp,
			iat,
			sub: ana.accountId,
			aud: "reloop",
			iss: decodeJwt(ana.accessToken).iss,
			jti,
			sid,
		});
		const refresh = await introspect(ana.refreshToken, client);
		assert.deepEqual([refresh.active, refresh.sub, refresh.sid, refresh.token_type], [true, ana.accountId, sid, undefined]);
		const own = await introspect(await tokenOf(url, client), client);
		assert.deepEqual([own.active, own.client_id, own.sub], [true, client.clientId, client.clientId]);
	});

	test("says no more than `active: false` of what is unknown, used up, expired, revoked, or of the banned", async () => {
		const client = await makeClient(admin);
		const [ana, ben, eva] = [await person(url, "Ana"), await person(url, "Ben"), await person(url, "Eva")];
		is(await http(url, "/api/auth/refresh", { body: { refreshToken: ana.refreshToken } }), 200);
		is(await ben.post("/api/auth/logout"), 204);
		await sql("update accounts set state = 'banned' where id = $1", [eva.accountId]);
		const other = await makeClient(admin);
		const gone = await tokenOf(url, other);
		is(await admin.send("DELETE", `/api/admin/clients/${other.clientId}`), 204);
		const dead = {
			unknown: "x",
			"too long": "x".repeat(20_000),
			forged: `${ana.accessToken.slice(0, -3)}AAA`,
			"used up": ana.refreshToken,
			"signed out": ben.accessToken,
			"signed out, refresh": ben.refreshToken,
			banned: eva.accessToken,
			"banned, refresh": eva.refreshToken,
			"of a removed client": gone,
		};
		for (const [what, token] of Object.entries(dead)) assert.deepEqual(await introspect(token, client), { active: false }, what);
	});

	test("is for registered clients alone", async () => {
		const ana = await person(url, "Ana");
		const refused = async (asked: Promise<{ status: number; body: unknown; headers: Headers }>, status: number, error: string) => {
			const reply = await asked;
			assert.deepEqual([reply.status, (reply.body as { error: string }).error], [status, error]);
		};
		const body = { token: ana.accessToken };
		await refused(ask(url, "/api/auth/introspect", body), 401, "invalid_client");
		await refused(http(url, "/api/auth/introspect", { token: ana.accessToken, body }), 401, "invalid_client");
		const gone = await makeClient(admin);
		const given = await tokenOf(url, gone);
		assert.equal(is(await http(url, "/api/auth/introspect", { token: given, body }), 200).body.active, true);
		is(await admin.send("DELETE", `/api/admin/clients/${gone.clientId}`), 204);
		await eventually(() => refused(http(url, "/api/auth/introspect", { token: given, body }), 401, "invalid_client"), 1_000);
		const { clientId } = await makeClient(admin);
		await refused(ask(url, "/api/auth/introspect", body, { clientId, clientSecret: "wrong" }), 401, "invalid_client");
		await refused(ask(url, "/api/auth/introspect", {}, await makeClient(admin)), 400, "invalid_request");
	});
});

describe("revocation", () => {
	test("of an access token or a refresh token ends its session, by whoever holds it", async () => {
		const client = await makeClient(admin);
		for (const by of [undefined, client]) {
			for (const which of ["accessToken", "refreshToken"] as const) {
				const ana = await person(url, "Ana");
				const reply = await ask(url, "/api/auth/revoke", { token: ana[which], token_type_hint: "nonsense" }, by);
				assert.deepEqual([reply.status, reply.body], [200, {}]);
				await eventually(async () => is(await ana.get("/api/auth/me"), 401, "invalid-token"), 3_000);
				is(await http(url, "/api/auth/refresh", { body: { refreshToken: ana.refreshToken } }), 401, "invalid-token");
			}
		}
	});

	test("of what is unknown, or over, is 200 as well; of a client that is none it is 401", async () => {
		const ana = await person(url, "Ana");
		for (const token of ["unknown", ana.accessToken, ana.accessToken, ana.refreshToken])
			assert.equal((await ask(url, "/api/auth/revoke", { token })).status, 200);
		const { clientId } = await makeClient(admin);
		const wrong = await ask(url, "/api/auth/revoke", { token: ana.accessToken }, { clientId, clientSecret: "wrong" });
		assert.deepEqual([wrong.status, wrong.body.error], [401, "invalid_client"]);
		assert.equal((await ask(url, "/api/auth/revoke", {})).body.error, "invalid_request");
	});

	test("of a client's token ends that one, and is not another client's business", async () => {
		const [client, other] = [await makeClient(admin, ["clients:write"]), await makeClient(admin)];
		const [one, two] = [await tokenOf(url, client), await tokenOf(url, client)];
		const refused = await ask(url, "/api/auth/revoke", { token: one }, other);
		assert.deepEqual([refused.status, refused.body.error], [400, "unauthorized_client"]);
		assert.equal((await ask(url, "/api/auth/revoke", { token: one }, client)).status, 200);
		await eventually(async () => is(await me(one), 401, "invalid-token"), 3_000);
		is(await me(two), 200);
	});
});

test("the discovery document names both endpoints and how a client says who it is", async () => {
	const { body } = await http(url, "/.well-known/openid-configuration");
	assert.equal(body.introspection_endpoint, `${body.issuer}/api/auth/introspect`);
	assert.equal(body.revocation_endpoint, `${body.issuer}/api/auth/revoke`);
	assert.deepEqual(body.grant_types_supported, ["password", "refresh_token", "client_credentials"]);
	assert.deepEqual(body.token_endpoint_auth_methods_supported, ["client_secret_basic", "client_secret_post", "none"]);
	assert.deepEqual(body.introspection_endpoint_auth_methods_supported, ["client_secret_basic", "client_secret_post"]);
});
