// Access tokens that are not what they say, as one table: forged, expired, swapped, downgraded. The key is one that the doors
// trust, so that nothing but the fault named can be the reason for the refusal.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import type { CryptoKey } from "jose";
import {
	CompactEncrypt,
	calculateJwkThumbprint,
	decodeJwt,
	decodeProtectedHeader,
	exportJWK,
	exportSPKI,
	generateKeyPair,
	importJWK,
	SignJWT,
} from "jose";
import { database } from "../../mixins/postgres.ts";
import { tokens } from "../../mixins/token/tokens.ts";
import { identityNode } from "../../services/identity/node.ts";
import { makeClient, official, tokenOf } from "../support/clients.ts";
import { connect, http, is, person, say, testApp } from "../support/kit.ts";

const app = await testApp();
const { url } = app;
const issuer = app.url;
const ours = await generateKeyPair("RS256", { extractable: true });
const others = await generateKeyPair("RS256", { extractable: true });
const jwk = await exportJWK(ours.publicKey);
const kid = await calculateJwkThumbprint(jwk);

/** A key like those of the platform: published, and never used by it. */
const later = new Date(Date.now() + 86_400_000);
await database("identity").query(
	"insert into signing_keys (id, public_jwk, private_sealed, created_at, signs_from, retired_at) values ($1, $2, (select private_sealed from signing_keys limit 1), $3, $4, $4)",
	[kid, JSON.stringify({ kty: "RSA", n: jwk.n, e: jwk.e, kid, alg: "RS256", use: "sig" }), new Date(), later],
);
await identityNode(app.broker).signing.reread(new Date());
await tokens(app.broker).keysChanged();
const ana = await person(url, "Ana");

const seconds = () => Math.floor(Date.now() / 1000);

interface Changed {
	header?: Record<string, unknown>;
	payload?: Record<string, unknown>;
	key?: CryptoKey | Uint8Array;
}
/** A token as the platform makes them, but for what is changed; undefined takes something away. */
function token({ header = {}, payload = {}, key = ours.privateKey }: Changed = {}): Promise<string> {
	const claims = {
		...decodeJwt(ana.accessToken),
		iat: seconds(),
		exp: seconds() + 600,
		jti: randomUUID(),
		...payload,
	};
	const all = { alg: "RS256", typ: "at+jwt", kid, ...header };
	const crit = "crit" in header ? { crit: Object.fromEntries((header.crit as string[]).map((name) => [name, true])) } : {};
	return new SignJWT(claims).setProtectedHeader(all as { alg: string }).sign(key, crit);
}
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
/** Signed by hand, for what no library would sign. */
const byHand = (header: unknown, payload: unknown, signature: string) => `${part(header)}.${part(payload)}.${signature}`;
const parts = (text: string) => text.split(".") as [string, string, string];

const cases: Record<string, () => Promise<string> | string> = {
	// Forged
	"not signed (alg none)": () => byHand({ alg: "none", typ: "at+jwt", kid }, decodeJwt(ana.accessToken), ""),
	"not signed (alg NoNe)": () => byHand({ alg: "NoNe", typ: "at+jwt", kid }, decodeJwt(ana.accessToken), ""),
	"not signed, though it says RS256": () => byHand({ alg: "RS256", typ: "at+jwt", kid }, decodeJwt(ana.accessToken), ""),
	"signed with our public key as the secret of HMAC": async () => {
		const head = `${part({ alg: "HS256", typ: "at+jwt", kid })}.${part(decodeJwt(ana.accessToken))}`;
		return `${head}.${createHmac("sha256", await exportSPKI(ours.publicKey))
			.update(head)
			.digest("base64url")}`;
	},
	"signed with an empty secret": () => {
		const head = `${part({ alg: "HS256", typ: "at+jwt", kid })}.${part(decodeJwt(ana.accessToken))}`;
		return `${head}.${createHmac("sha256", "").update(head).digest("base64url")}`;
	},
	"signed by a stranger under our key's name": () => token({ key: others.privateKey }),
	"signed by a stranger's key that it brings along (jwk)": async () =>
		token({ key: others.privateKey, header: { jwk: await exportJWK(others.publicKey) } }),
	"signed by a stranger's key that it says where to find (jku)": () =>
		token({ key: others.privateKey, header: { jku: "https://evil.example/jwks.json" } }),
	"with a key's name that is a path": () => token({ header: { kid: "../../../../dev/null" } }),
	"with a key's name that is SQL": () => token({ header: { kid: "' or '1'='1" } }),
	"with a key's name of another kind": () => token({ header: { kid: 7 } }),
	"with a key's name nobody knows": () => token({ header: { kid: randomUUID() } }),
	"without a key's name": () => token({ header: { kid: undefined } }),
	// What a token of ours never says, though the signature is right
	"that says where its key is (jku), signed by ours": () => token({ header: { jku: `${url}/.well-known/jwks.json` } }),
	"that says where its certificate is (x5u)": () => token({ header: { x5u: "https://evil.example/cert.pem" } }),
	"that brings a certificate (x5c)": () => token({ header: { x5c: ["MIIB"] } }),
	"that brings our own key (jwk)": async () => token({ header: { jwk: await exportJWK(ours.publicKey) } }),
	"that wants something understood (crit exp)": () => token({ header: { crit: ["exp"], exp: seconds() + 600 } }),
	"that wants something understood (crit, of its own)": () => token({ header: { crit: ["urn:evil"], "urn:evil": 1 } }),
	"whose payload is not encoded (crit b64)": () => {
		const [head, payload] = [part({ alg: "RS256", typ: "at+jwt", kid, b64: false, crit: ["b64"] }), part(decodeJwt(ana.accessToken))];
		return `${head}.${payload}.${parts(ana.accessToken)[2]}`;
	},
	// Expired, and not yet
	"that has expired": () => token({ payload: { exp: seconds() - 6 } }),
	"that never expires": () => token({ payload: { exp: undefined } }),
	"whose end is a text": () => token({ payload: { exp: "2099-01-01" } }),
	"from the future": () => token({ payload: { iat: seconds() + 60 } }),
	"not good before later (nbf)": () => token({ payload: { nbf: seconds() + 60 } }),
	// Swapped
	"for another audience": () => token({ payload: { aud: "another" } }),
	"for nobody (no audience)": () => token({ payload: { aud: undefined } }),
	"of another issuer": () => token({ payload: { iss: "https://evil.example" } }),
	"of an issuer that begins like ours": () => token({ payload: { iss: `${issuer}.evil.example` } }),
	"of another kind: an ID token": () => token({ header: { typ: "JWT" } }),
	"of another kind: a logout token": () => token({ header: { typ: "logout+jwt" } }),
	"of no kind": () => token({ header: { typ: undefined } }),
	"that is a refresh token": () => ana.refreshToken,
	"with the payload of somebody else": async () => {
		const [head, , signature] = parts(ana.accessToken);
		return `${head}.${parts((await person(url, "Eve")).accessToken)[1]}.${signature}`;
	},
	"with a better role, under the old signature": () => {
		const [head, , signature] = parts(ana.accessToken);
		return `${head}.${part({ ...decodeJwt(ana.accessToken), roles: ["admin"], scope: "ops:read" })}.${signature}`;
	},
	"with the signature of another token": async () => {
		const [head, payload] = parts(ana.accessToken);
		return `${head}.${payload}.${parts((await person(url, "Eve")).accessToken)[2]}`;
	},
	"of a client that is said to be a person": () => token({ payload: { client_id: randomUUID() } }),
	// Downgraded
	"signed with RS512 by our key": async () => {
		const key = await importJWK(await exportJWK(ours.privateKey), "RS512");
		return token({ header: { alg: "RS512" }, key });
	},
	"signed with PS256": async () => token({ header: { alg: "PS256" }, key: (await generateKeyPair("PS256")).privateKey }),
	"signed with ES256": async () => token({ header: { alg: "ES256" }, key: (await generateKeyPair("ES256")).privateKey }),
	"signed with EdDSA": async () => token({ header: { alg: "EdDSA" }, key: (await generateKeyPair("EdDSA")).privateKey }),
	"that is encrypted for our key instead of signed": async () =>
		new CompactEncrypt(Buffer.from(JSON.stringify(decodeJwt(ana.accessToken))))
			.setProtectedHeader({ alg: "RSA-OAEP-256", enc: "A256GCM", typ: "at+jwt", kid })
			.encrypt((await generateKeyPair("RSA-OAEP-256")).publicKey),
	// Incomplete
	"without a session": () => token({ payload: { sid: undefined } }),
	"without an account": () => token({ payload: { sub: undefined } }),
	"without a profile": () => token({ payload: { profile: undefined } }),
	"whose scope is a list": () => token({ payload: { scope: ["ops:read"] } }),
	"whose roles are a text": () => token({ payload: { roles: "admin" } }),
	// No token
	"that is two tokens": async () => `${ana.accessToken}.${ana.accessToken}`,
	"that is cut off": () => ana.accessToken.slice(0, -20),
	"that has a line of white space in it": () => ana.accessToken.replace(".", ". "),
	"that is far too long": () => `${ana.accessToken}${"A".repeat(9_000)}`,
};

const open = await connect(url, ana.accessToken);
after(() => open.close());
const invalid = (error: Error & { problem?: { code: string } }) => error.problem?.code === "invalid-token";

describe("an access token", () => {
	test("the table below has what was promised: at least twenty-five ways to lie", () => assert.ok(Object.keys(cases).length >= 25));

	test("signed as the platform signs is good: the table below is refused for what each row says", async () => {
		const made = await token();
		is(await http(url, "/api/auth/me", { token: made }), 200);
		(await connect(url, made)).close();
		assert.ok((await say(open, "token:refresh", { token: made })).expiresIn > 500);
	});

	for (const [what, make] of Object.entries(cases)) {
		test(`${what} is refused: over HTTP, in a handshake, and where a socket renews its token`, async () => {
			const made = await make();
			is(await http(url, "/api/auth/me", { token: made }), 401, "invalid-token");
			await assert.rejects(connect(url, made), invalid);
			// An event's payload has its limits, too.
			if (made.length <= 8192) await assert.rejects(say(open, "token:refresh", { token: made }), invalid);
			assert.equal(open.connected, true, "who is in stays in, by the token that was good");
		});
	}

	test("is refused by introspection for the same reasons", async () => {
		const admin = await official(app);
		const client = await makeClient(admin);
		const ask = async (text: string) =>
			(await http(url, "/api/auth/introspect", { body: { token: text, client_id: client.clientId, client_secret: client.clientSecret } }))
				.body;
		for (const [what, make] of Object.entries(cases)) {
			const made = await make();
			// It is no access token, and is a good refresh token.
			if (made !== ana.refreshToken) assert.deepEqual(await ask(made), { active: false }, what);
		}
	});

	test("of somebody else, or of another profile of one's own, renews no socket", async () => {
		const eve = await person(url, "Eve");
		const profileId = is(await ana.post("/api/profiles", { displayName: "Ana's shop", kind: "organization" }), 201).body.id;
		const switched = is(await ana.post("/api/auth/switch-profile", { profileId }), 200).body.tokens.accessToken;
		for (const other of [eve.accessToken, switched])
			await assert.rejects(
				say(open, "token:refresh", { token: other }),
				(error: Error & { problem?: { code: string } }) => error.problem?.code === "forbidden",
			);
	});

	test("of a client is no way to a person's, and a person's is none to a client's", async () => {
		const admin = await official(app);
		const clientToken = await tokenOf(url, await makeClient(admin, ["clients:write"]));
		const claims = decodeJwt(clientToken);
		assert.equal(decodeProtectedHeader(clientToken).typ, "at+jwt");
		for (const payload of [
			{ ...claims, profile: ana.profileId },
			{ ...claims, sub: ana.accountId },
		])
			is(await http(url, "/api/auth/me", { token: await token({ payload: { ...payload, profiles: undefined } }) }), 401, "invalid-token");
	});
});
