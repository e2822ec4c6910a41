// The verifier of access tokens: what it lets in, what it refuses, what it remembers, and what floods cost.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, beforeEach, describe, mock, test } from "node:test";
import type { CryptoKey, JWK } from "jose";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { sealsFor } from "../../mixins/principal.ts";
import { ALGORITHM, AUDIENCE } from "../../mixins/token/claims.ts";
import { tokenVerifier } from "../../mixins/token/verifier.ts";
import type { TokenVerifier } from "../../mixins/token/verifier.ts";
import { isProblem, problem } from "../../services/contracts/errors.ts";

const ISSUER = "http://localhost:3000";
const seals = sealsFor(Buffer.alloc(32, 1).toString("base64"));
let ours: { privateKey: CryptoKey; publicKey: CryptoKey };
let other: typeof ours;
let jwk: JWK;
let otherJwk: JWK;
let verifier: TokenVerifier;
let published: JWK[];
let loads: number;

before(async () => {
	ours = await generateKeyPair(ALGORITHM, { extractable: true });
	other = await generateKeyPair(ALGORITHM, { extractable: true });
	jwk = { ...(await exportJWK(ours.publicKey)), kid: "one", alg: ALGORITHM, use: "sig" };
	otherJwk = { ...(await exportJWK(other.publicKey)), kid: "two", alg: ALGORITHM, use: "sig" };
});
beforeEach(() => {
	published = [jwk];
	loads = 0;
	verifier = make();
});

function make(options: { remember?: number; loadKeys?: () => Promise<{ keys: JWK[] }> } = {}): TokenVerifier {
	const loadKeys = async () => {
		loads++;
		return { keys: published };
	};
	return tokenVerifier({ issuer: ISSUER, audience: AUDIENCE, loadKeys, seals, ...options });
}

const claims = () => ({
	sid: randomUUID(),
	name: "Ana",
	profile: randomUUID(),
	roles: ["user", "consumer"],
	scope: "account:own ops:read",
});
const seconds = (ms = Date.now()) => Math.floor(ms / 1000);

interface Wrong {
	payload?: Record<string, unknown>;
	header?: Record<string, unknown>;
	issuer?: string;
	audience?: string;
	exp?: number;
	iat?: number;
	key?: CryptoKey;
}
function token({
	payload = {},
	header = {},
	issuer = ISSUER,
	audience = AUDIENCE,
	exp = seconds() + 600,
	iat = seconds(),
	key = ours.privateKey,
}: Wrong = {}): Promise<string> {
	return new SignJWT({ ...claims(), ...payload })
		.setProtectedHeader({ alg: ALGORITHM, typ: "at+jwt", kid: "one", ...header })
		.setIssuer(issuer)
		.setAudience(audience)
		.setSubject(randomUUID())
		.setJti(randomUUID())
		.setIssuedAt(iat)
		.setExpirationTime(exp)
		.sign(key);
}
const refused = (text: string, by = verifier) => assert.rejects(by.verify(text), (error) => isProblem(error, "invalid-token"));

describe("a token of ours", () => {
	test("says who calls: account, profile, name, session, roles, scopes; frozen", async () => {
		const own = claims();
		const principal = await verifier.verify(await token({ payload: own }));
		assert.deepEqual(
			[principal.sessionId, principal.profileId, principal.displayName, principal.roles, principal.scopes],
			[own.sid, own.profile, "Ana", ["user", "consumer"], ["account:own", "ops:read"]],
		);
		assert.ok(Object.isFrozen(principal) && Object.isFrozen(principal.roles) && Object.isFrozen(principal.scopes));
	});
	test("says when and how well its person proved who they are; one of the version before says nothing of it", async () => {
		const principal = await verifier.verify(await token({ payload: { auth_time: 1_700_000_000, acr: "2" } }));
		assert.deepEqual([principal.authTime, principal.acr], [1_700_000_000, "2"]);
		const older = await verifier.verify(await token());
		assert.deepEqual([older.authTime, older.acr], [undefined, undefined]);
	});
	test("is verified once and then remembered", async () => {
		const text = await token();
		assert.equal(await verifier.verify(text), await verifier.verify(text));
		assert.equal(loads, 1);
	});
	test("is refused five seconds after its end, remembered or not", async () => {
		const now = Date.now();
		mock.timers.enable({ apis: ["Date"], now });
		try {
			const text = await token({ exp: seconds(now) + 60 });
			await verifier.verify(text);
			mock.timers.setTime(now + 64_000);
			await verifier.verify(text);
			mock.timers.setTime(now + 66_000);
			await refused(text);
			await refused(text, make());
		} finally {
			mock.timers.reset();
		}
	});
	test("is forgotten, least used first, when too many are remembered, and verified again", async () => {
		const small = make({ remember: 2 });
		const [one, two, three] = [await token(), await token(), await token()];
		const first = await small.verify(one);
		const second = await small.verify(two);
		await small.verify(one);
		await small.verify(three);
		assert.equal(await small.verify(one), first, "used lately: still remembered");
		assert.notEqual(await small.verify(two), second, "verified anew");
	});
});

describe("a token that is not good", () => {
	test("of another issuer, audience or type", async () => {
		await refused(await token({ issuer: "https://evil.example" }));
		await refused(await token({ audience: "another" }));
		await refused(await token({ header: { typ: "JWT" } }));
		await refused(await token({ header: { typ: undefined } }));
	});
	test("not from now: expired, or from the future", async () => {
		await refused(await token({ exp: seconds() - 6 }));
		await refused(await token({ iat: seconds() + 60 }));
		await refused(await token({ payload: { nbf: seconds() + 60 } }));
	});
	test("without a signature (alg none)", async () => {
		await refused(new UnsecuredJWT(claims()).setIssuer(ISSUER).setAudience(AUDIENCE).setSubject("x").setExpirationTime("1h").encode());
		const [, payload] = (await token()).split(".");
		const header = Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt", kid: "one" })).toString("base64url");
		await refused(`${header}.${payload}.`);
	});
	test("signed by HMAC with our public key as the secret", async () => {
		const secret = new TextEncoder().encode(await exportSPKI(ours.publicKey));
		const forged = await new SignJWT(claims())
			.setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: "one" })
			.setIssuer(ISSUER)
			.setAudience(AUDIENCE)
			.setSubject("x")
			.setJti("x")
			.setIssuedAt()
			.setExpirationTime("1h")
			.sign(secret);
		await refused(forged);
	});
	test("signed by a stranger under our key's name, or bringing its own key", async () => {
		await refused(await token({ key: other.privateKey }));
		await refused(await token({ key: other.privateKey, header: { jwk: await exportJWK(other.publicKey) } }));
	});
	test("changed by one letter", async () => {
		const text = await token();
		const dot = text.indexOf(".") + 10;
		await refused(`${text.slice(0, dot)}${text[dot] === "A" ? "B" : "A"}${text.slice(dot + 1)}`);
	});
	test("no token at all, of any size", async () => {
		for (const text of [
			"",
			"x",
			"a.b.c",
			"....",
			"\0",
			"Bearer x",
			"é".repeat(100),
			`${"A".repeat(5000)}.${"B".repeat(2000)}.${"C".repeat(2000)}`,
		])
			await refused(text);
		await refused(`${await token()}${"A".repeat(10_000)}`);
	});
	test("without a claim we need, or with one of another type", async () => {
		for (const payload of [{ sid: undefined }, { sid: 1 }, { profile: "" }, { name: null }, { roles: "admin" }, { scope: ["a"] }])
			await refused(await token({ payload }));
		for (const payload of [
			{ auth_time: "1", acr: "2" },
			{ auth_time: 1, acr: 2 },
			{ auth_time: 1, acr: "" },
			{ auth_time: 1 },
			{ acr: "2" },
		])
			await refused(await token({ payload }));
	});
});

describe("a revoked session", () => {
	test("has its tokens refused at once, those remembered and those not seen yet; listeners hear once", async () => {
		const sid = randomUUID();
		const [seen, unseen] = [await token({ payload: { sid } }), await token({ payload: { sid } })];
		const heard: string[] = [];
		verifier.onRevoked((id) => heard.push(id));
		await verifier.verify(seen);
		verifier.revoke(sid, Date.now() + 600_000);
		verifier.revoke(sid, Date.now() + 600_000);
		await refused(seen);
		await refused(unseen);
		assert.deepEqual(heard, [sid]);
		await verifier.verify(await token());
	});
	test("is refused also when it was revoked while its token was being verified", async () => {
		const sid = randomUUID();
		const verifying = verifier.verify(await token({ payload: { sid } }));
		verifier.revoke(sid, Date.now() + 600_000);
		await assert.rejects(verifying, (error) => isProblem(error, "invalid-token"));
	});
});

describe("keys", () => {
	test("a key not known yet is asked for, at most every five seconds however many tokens name unknown ones", async () => {
		await verifier.verify(await token());
		assert.equal(loads, 1);
		published = [jwk, otherJwk];
		for (let i = 0; i < 50; i++) await refused(await token({ header: { kid: `none-${i}` } }));
		assert.equal(loads, 1, "loaded a moment ago");
		const later = performance.now() + 5_001;
		const clock = mock.method(performance, "now", () => later);
		try {
			await verifier.verify(await token({ key: other.privateKey, header: { kid: "two" } }));
			assert.equal(loads, 2);
			await Promise.all(Array.from({ length: 50 }, async (_, i) => refused(await token({ header: { kid: `still-none-${i}` } }))));
			assert.equal(loads, 2);
		} finally {
			clock.mock.restore();
		}
	});
	test("known keys stay in use while new ones cannot be had", async () => {
		let away = false;
		const stubborn = make({
			loadKeys: async () => {
				if (away) throw problem("unavailable");
				return { keys: [jwk] };
			},
		});
		await stubborn.verify(await token());
		away = true;
		const later = performance.now() + 3_600_000;
		const clock = mock.method(performance, "now", () => later);
		try {
			await stubborn.verify(await token());
			await stubborn.verify(await token());
		} finally {
			clock.mock.restore();
		}
	});
	test("without any key the answer is that it cannot be said, not that the token is wrong", async () => {
		const blind = make({ loadKeys: async () => Promise.reject(problem("unavailable")) });
		await assert.rejects(blind.verify(await token()), (error) => isProblem(error, "unavailable"));
	});
});
