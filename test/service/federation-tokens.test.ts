// Signing in with the ID token of an issuer, through the door: what is a good token, whose account it opens.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { CryptoKey } from "jose";
import { decodeJwt, importJWK } from "jose";
import { database } from "../../mixins/postgres.ts";
import { computed } from "../../services/identity/sign-in/hashing.ts";
import { codeOf } from "../support/factors.ts";
import { foreignIssuers, makePair } from "../support/foreign-issuer.ts";
import { http, is, person, testApp, told } from "../support/kit.ts";

const { google, corp, environment } = await foreignIssuers("google", "corp");
const app = await testApp(environment);
const stranger = await makePair();
const sql = <R = Record<string, unknown>>(text: string, values: unknown[] = []) => database("identity").query<R>(text, values);

const newEmail = () => `${randomUUID()}@example.org`;
const someone = () => ({ sub: randomUUID(), email: newEmail(), name: "Ana Sá" });
const signIn = (idToken: string, more: Record<string, unknown> = {}, provider = "google") =>
	http(app.url, "/api/auth/federated", { body: { provider, idToken, ...more } });
/** Somebody with an account, whose e-mail is verified. */
async function verified(name: string) {
	const who = await person(app.url, name);
	await sql("update accounts set state = 'active' where id = $1", [who.accountId]);
	return who;
}

describe("signing in with an ID token", () => {
	test("makes an active account with a profile and its facts at first, and opens the same one after that", async () => {
		const who = someone();
		const first = is(await signIn(await google.token(who)), 200).body;
		assert.deepEqual({ ...first.account, id: "" }, { id: "", email: who.email, state: "active", role: "user", mfa: false });
		assert.deepEqual([first.profile.displayName, first.profile.kind, first.created], ["Ana Sá", "consumer", true]);
		assert.equal((await told("identity.account.registered", first.account.id)).length, 1);
		assert.equal((await told("identity.profile.created", first.account.id)).length, 1);
		is(await http(app.url, "/api/auth/me", { token: first.tokens.accessToken }), 200);
		const again = is(await signIn(await google.token({ ...who, email: newEmail(), name: "Other" })), 200).body;
		assert.deepEqual([again.account, again.profile, again.created], [first.account, first.profile, false]);
		is(await http(app.url, "/api/auth/refresh", { body: { refreshToken: again.tokens.refreshToken } }), 200);
	});

	test("leads to the second step where the account has a second factor", async () => {
		const who = someone();
		const { tokens } = is(await signIn(await google.token(who)), 200).body;
		const { secret } = is(await http(app.url, "/api/auth/mfa/totp", { method: "POST", token: tokens.accessToken }), 201).body;
		is(await http(app.url, "/api/auth/mfa/totp/confirm", { body: { code: codeOf(secret) }, token: tokens.accessToken }), 200);
		const first = is(await signIn(await google.token(who)), 200).body;
		assert.deepEqual([first.mfaRequired, first.created, first.tokens], [true, false, undefined]);
		const entered = is(
			await http(app.url, "/api/auth/mfa/login", { body: { ticket: first.ticket, method: "totp", code: codeOf(secret, 1) } }),
			200,
		).body;
		assert.equal(entered.account.mfa, true);
	});

	test("is by issuer and subject: the same subject elsewhere is somebody else", async () => {
		const sub = randomUUID();
		const [here, there] = [
			is(await signIn(await google.token({ sub, email: newEmail() })), 200).body,
			is(await signIn(await corp.token({ sub, email: newEmail() }), {}, "corp"), 200).body,
		];
		assert.notEqual(here.account.id, there.account.id);
	});

	test("twenty times at once for somebody new is one account", async () => {
		const who = someone();
		const idToken = await google.token(who);
		const replies = await Promise.all(Array.from({ length: 20 }, () => signIn(idToken)));
		for (const reply of replies) is(reply, 200);
		assert.equal(new Set(replies.map(({ body }) => body.account.id)).size, 1);
		assert.equal(replies.filter(({ body }) => body.created).length, 1);
	});

	test("meets a registration with the same e-mail at the same time: one account, and nobody is in who should not be", async () => {
		for (let i = 0; i < 5; i++) {
			const who = someone();
			const idToken = await google.token(who);
			const body = { email: who.email, password: "three green bottles", displayName: "Eve" };
			const [federated, registered] = await Promise.all([signIn(idToken), http(app.url, "/api/auth/register", { body })]);
			const [{ n } = { n: 0 }] = await sql<{ n: number }>("select count(*)::int as n from accounts where email = $1", [who.email]);
			assert.equal(n, 1);
			if (registered.status === 201) is(federated, 409, "link-required");
			else assert.deepEqual([registered.body.code, federated.body.created], ["email-taken", true]);
		}
	});

	test("keeps its answer for an Idempotency-Key", async () => {
		const body = { provider: "google", idToken: await google.token(someone()) };
		const headers = { "Idempotency-Key": randomUUID() };
		const [first, second] = [
			await http(app.url, "/api/auth/federated", { body, headers }),
			await http(app.url, "/api/auth/federated", { body, headers }),
		];
		assert.deepEqual([second.body, second.headers.get("idempotent-replayed")], [is(first, 200).body, "true"]);
	});

	test("at a provider that nobody has configured is 422, and mass assignment is, too", async () => {
		const idToken = await google.token(someone());
		for (const provider of ["nobody", "GOOGLE", "__proto__", "constructor"]) is(await signIn(idToken, {}, provider), 422, "validation");
		for (const more of [{ role: "admin" }, { state: "active" }, { email: "x@example.org" }, { accountId: randomUUID() }])
			is(await signIn(idToken, more), 422, "validation");
	});
});

test("an ID token makes nobody more than they are by what it claims besides", async () => {
	const who = {
		...someone(),
		role: "admin",
		roles: ["admin"],
		scope: "users:write ops:read",
		acr: "2",
		state: "banned",
		profile: randomUUID(),
	};
	const { account, profile, tokens } = is(await signIn(await google.token({ ...who, account: { role: "admin" }, sid: "x" })), 200).body;
	assert.deepEqual([account.role, account.state, profile.kind], ["user", "active", "consumer"]);
	const { roles, scope, acr } = decodeJwt(tokens.accessToken);
	assert.deepEqual([roles, scope, acr], [["user", "consumer"], "account:own", "1"]);
});

describe("an ID token is refused", () => {
	const now = () => Math.floor(Date.now() / 1000);
	const hmac = (alg: string) => {
		const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
		const claims = {
			iss: google.issuer,
			aud: google.clientId,
			sub: "ana",
			iat: now(),
			exp: now() + 300,
			email: newEmail(),
			email_verified: true,
		};
		const text = `${part({ alg, typ: "JWT", kid: google.pair.kid })}.${part(claims)}`;
		return `${text}.${alg === "none" ? "" : createHmac("sha256", JSON.stringify(google.pair.jwk)).update(text).digest("base64url")}`;
	};
	const embedded = async () => google.token(someone(), { header: { jwk: stranger.jwk }, key: stranger.privateKey });
	const cases: Record<string, () => Promise<string> | string> = {
		"that is none": () => "nonsense",
		"that is three words": () => "a.b.c",
		"without a signature (alg none)": () => hmac("none"),
		"signed by HMAC with the public key as its secret": () => hmac("HS256"),
		"signed by a stranger under the issuer's kid": () => google.token(someone(), { key: stranger.privateKey }),
		"signed by a stranger under a kid of their own": () =>
			google.token(someone(), { header: { kid: stranger.kid }, key: stranger.privateKey }),
		"that brings its key (jwk)": embedded,
		"that names its key's place (jku)": () => google.token(someone(), { header: { jku: "https://evil.example/jwks" } }),
		"that names its certificate's place (x5u)": () => google.token(someone(), { header: { x5u: "https://evil.example/x" } }),
		"that brings its certificate (x5c)": () => google.token(someone(), { header: { x5c: ["MII="] } }),
		"that asks for an extension (crit)": () => google.token(someone(), { header: { crit: ["b64"], b64: true } }),
		"that is an access token": () => google.token(someone(), { header: { typ: "at+jwt" } }),
		"that is a logout token": () => google.token(someone(), { header: { typ: "logout+jwt" } }),
		"of another issuer": () => corp.token({ ...someone(), aud: google.clientId }),
		"that says another issuer": () => google.token({ ...someone(), iss: corp.issuer }),
		"without an issuer": () => google.token({ ...someone(), iss: undefined }),
		"for another audience": () => google.token({ ...someone(), aud: "somebody-else" }),
		"without an audience": () => google.token({ ...someone(), aud: undefined }),
		"for several audiences, issued to another": () =>
			google.token({ ...someone(), aud: [google.clientId, "somebody-else"], azp: "somebody-else" }),
		"for several audiences, issued to nobody": () => google.token({ ...someone(), aud: [google.clientId, "somebody-else"] }),
		"that has expired": () => google.token({ ...someone(), iat: now() - 600, exp: now() - 10 }),
		"that never expires": () => google.token({ ...someone(), exp: undefined }),
		"that is not valid yet": () => google.token({ ...someone(), nbf: now() + 60 }),
		"from the future": () => google.token({ ...someone(), iat: now() + 60 }),
		"without the time of its issue": () => google.token({ ...someone(), iat: undefined }),
		"older than an hour, however long it says it lives": () => google.token({ ...someone(), iat: now() - 3700, exp: now() + 86_400 }),
		"without a subject": () => google.token({ ...someone(), sub: undefined }),
		"with an empty subject": () => google.token({ ...someone(), sub: "" }),
	};
	for (const [what, make] of Object.entries(cases))
		test(what, async () => {
			is(await signIn(await make()), 401, "invalid-token");
		});

	test("with a changed claim or a cut signature", async () => {
		const [header, , signature = ""] = (await google.token(someone())).split(".");
		const [, other] = (await google.token(someone())).split(".");
		is(await signIn(`${header}.${other}.${signature}`), 401, "invalid-token");
		is(await signIn(`${header}.${other}.${signature.slice(0, -10)}`), 401, "invalid-token");
	});

	test("with another nonce than was given, or none", async () => {
		const who = someone();
		is(await signIn(await google.token({ ...who, nonce: "n-1" }), { nonce: "n-2" }), 401, "invalid-token");
		is(await signIn(await google.token(who), { nonce: "n-1" }), 401, "invalid-token");
		is(await signIn(await google.token({ ...who, nonce: "n-1" }), { nonce: "n-1" }), 200);
	});

	test("but not by a few seconds between two clocks, nor for several audiences when issued to us", async () => {
		is(await signIn(await google.token({ ...someone(), iat: now() + 3, nbf: now() + 3 })), 200);
		is(await signIn(await google.token({ ...someone(), aud: [google.clientId, "else"], azp: google.clientId })), 200);
	});

	test("at the provider of another issuer", async () => {
		is(await signIn(await google.token(someone()), {}, "corp"), 401, "invalid-token");
	});

	test("when a symmetric key is among the issuer's", async () => {
		const secret = Buffer.alloc(32, 5);
		const jwk = { kty: "oct", k: secret.toString("base64url"), kid: "shared", alg: "HS256" };
		corp.instead.set("/jwks", (_req, res) => res.end(JSON.stringify({ keys: [jwk, corp.pair.jwk] })));
		const key = (await importJWK(jwk)) as Uint8Array | CryptoKey;
		is(await signIn(await corp.token(someone(), { header: { alg: "HS256", kid: "shared" }, key }), {}, "corp"), 401, "invalid-token");
		corp.instead.clear();
	});
});

describe("linking by e-mail", () => {
	test("links an active account whose e-mail the issuer has verified, and says that it made none", async () => {
		const ana = await verified("Ana");
		const who = { ...someone(), email: ` ${ana.email.toUpperCase()} ` };
		const reply = is(await signIn(await google.token(who)), 200).body;
		assert.deepEqual([reply.account.id, reply.created], [ana.accountId, false]);
		is(await http(app.url, "/api/auth/login", { body: { email: ana.email, password: ana.password } }), 200);
		const [entry] = await sql("select action, target from audit where target = $1", [ana.accountId]);
		assert.deepEqual(entry, { action: "account.link", target: ana.accountId });
	});

	test("takes over nothing by an e-mail that the issuer has not verified, however it says so", async () => {
		const ana = await verified("Ana");
		for (const email_verified of [false, undefined, null, "false", 1, "yes"])
			is(await signIn(await google.token({ ...someone(), email: ana.email, email_verified })), 409, "link-required");
		assert.deepEqual(await sql("select 1 from identities where account_id = $1", [ana.accountId]), []);
	});

	test("gives nobody an account that somebody registered with their e-mail before them", async () => {
		const squatter = await person(app.url, "Eve");
		const who = { ...someone(), email: squatter.email };
		is(await signIn(await google.token(who)), 409, "link-required");
		// Whoever registered first cannot prepare another way in either.
		const own = await squatter.post("/api/auth/federated/link", { provider: "google", idToken: await google.token(someone()) });
		assert.deepEqual([is(own, 409, "wrong-state").body.state], ["unverified"]);
		// The owner of the mailbox recovers it (a new password, the e-mail verified): then it is theirs, and links.
		await sql("update accounts set state = 'active', password_hash = 'recovered' where id = $1", [squatter.accountId]);
		assert.equal(is(await signIn(await google.token(who)), 200).body.account.id, squatter.accountId);
	});

	test("an account made with an unverified e-mail is unverified, and not shared with who recovers it", async () => {
		const victim = newEmail();
		const eve = { sub: randomUUID(), email: victim, email_verified: false };
		const made = is(await signIn(await google.token(eve)), 200).body;
		assert.deepEqual([made.account.state, made.created], ["unverified", true]);
		assert.equal(is(await signIn(await google.token(eve)), 200).body.created, false);
		// The owner of the mailbox recovers the account.
		await sql("update accounts set state = 'active', password_hash = 'recovered' where id = $1", [made.account.id]);
		is(await signIn(await google.token(eve)), 409, "link-required");
	});

	test("an account made with an unverified e-mail becomes active when the issuer has verified it", async () => {
		const who = someone();
		assert.equal(is(await signIn(await google.token({ ...who, email_verified: false })), 200).body.account.state, "unverified");
		assert.equal(is(await signIn(await google.token(who)), 200).body.account.state, "active");
	});

	test("without an e-mail nobody new comes in, and who is known does", async () => {
		const who = someone();
		is(await signIn(await google.token({ sub: who.sub })), 422, "validation");
		is(await signIn(await google.token(who)), 200);
		is(await signIn(await google.token({ sub: who.sub })), 200);
	});

	test("is as closed to banned and trashed accounts as the password is", async () => {
		const who = someone();
		const { account } = is(await signIn(await google.token(who)), 200).body;
		await sql("update accounts set state = 'banned', banned_until = now() + interval '1 day' where id = $1", [account.id]);
		assert.ok(is(await signIn(await google.token(who)), 403, "banned").body.until);
		await sql("update accounts set state = 'trashed' where id = $1", [account.id]);
		is(await signIn(await google.token(who)), 401, "invalid-credentials");
	});
});

describe("one's identities", () => {
	const link = async (by: { post(path: string, body: unknown): ReturnType<typeof http> }, who: Record<string, unknown>) =>
		by.post("/api/auth/federated/link", { provider: "google", idToken: await google.token(who) });

	test("are linked by who is signed in, listed, used and unlinked", async () => {
		const ana = await verified("Ana");
		const who = someone();
		const made = is(await link(ana, { ...who, email_verified: false }), 201).body;
		assert.deepEqual([made.provider, made.email], ["google", who.email]);
		assert.deepEqual((await ana.get("/api/auth/federated")).body, { data: [made], nextCursor: null });
		assert.equal(is(await signIn(await google.token({ ...who, email_verified: false })), 200).body.account.id, ana.accountId);
		is(await ana.send("DELETE", `/api/auth/federated/${made.id}`), 204);
		is(await ana.send("DELETE", `/api/auth/federated/${made.id}`), 404, "not-found");
		assert.equal(is(await signIn(await google.token(who)), 200).body.created, true);
	});

	test("are linked once: to oneself, or to nobody else", async () => {
		const [ana, ben] = await Promise.all([verified("Ana"), verified("Ben")]);
		const who = someone();
		is(await link(ana, who), 201);
		is(await link(ana, who), 409, "already-linked");
		is(await link(ben, who), 409, "already-linked");
		is(await ben.post("/api/auth/federated/link", { provider: "google", idToken: "x.y.z" }), 401, "invalid-token");
	});

	test("are nobody else's to see or unlink", async () => {
		const [ana, ben] = await Promise.all([verified("Ana"), verified("Ben")]);
		const made = is(await link(ana, someone()), 201).body;
		assert.deepEqual((await ben.get("/api/auth/federated")).body.data, []);
		is(await ben.send("DELETE", `/api/auth/federated/${made.id}`), 404, "not-found");
	});

	test("stay, when they are the last way to sign in, also where all are unlinked at once", async () => {
		const reply = is(await signIn(await google.token(someone())), 200).body;
		const token = reply.tokens.accessToken;
		const ask = (path: string, options = {}) => http(app.url, path, { token, ...options });
		is(await ask("/api/auth/federated/link", { body: { provider: "google", idToken: await google.token(someone()) } }), 201);
		const ids = (await ask("/api/auth/federated")).body.data.map(({ id }: { id: string }) => id);
		const replies = await Promise.all(ids.map((id: string) => ask(`/api/auth/federated/${id}`, { method: "DELETE" })));
		assert.deepEqual(replies.map(({ status }) => status).sort(), [204, 409]);
		assert.equal((await ask("/api/auth/federated")).body.data.length, 1);
	});
});

test("an account without a password answers a sign-in by password as an unknown one does, and as slowly", async () => {
	const who = someone();
	is(await signIn(await google.token(who)), 200);
	const before = computed.hashes;
	const login = async (email: string) =>
		is(await http(app.url, "/api/auth/login", { body: { email, password: "three green bottles" } }), 401, "invalid-credentials");
	const [known, unknown] = [await login(who.email), await login(newEmail())];
	assert.equal(computed.hashes - before, 2);
	assert.equal(known.body.detail, unknown.body.detail);
});
