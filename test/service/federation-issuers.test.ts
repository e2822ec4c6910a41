// Issuers that are slow, broken or hostile: who wants to sign in there is told soon, nobody else waits, and nothing leads us
// where we would not go.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { askOutside, OutsideError } from "../../mixins/outside.ts";
import { foreignIssuers, makePair } from "../support/foreign-issuer.ts";
import { eventually, http, is, startTestApp, testApp, turnClock } from "../support/kit.ts";

const DISCOVERY = "/.well-known/openid-configuration";
const { rotating, guessed, away, dumb, huge, endless, redirected, keysmoved, metadata, liar, nokeys, broken, slash, plain, environment } =
	await foreignIssuers(
		"rotating",
		"guessed",
		"away",
		"dumb",
		"huge",
		"endless",
		"redirected",
		"keysmoved",
		"metadata",
		"liar",
		"nokeys",
		"broken",
		"slash",
		"plain",
	);
const app = await testApp({ ...environment, OIDC_SLASH_ISSUER: `${slash.issuer}/`, TRUST_PROXY: "127.0.0.1" });

type Foreign = typeof rotating;
let hosts = 0;
const newAddress = () => `10.${hosts >> 8}.${hosts++ & 255}.7`;
/** From an address of its own: where the clock has been turned back, the limits of an older one seem spent. */
const signIn = (provider: string, idToken: string) =>
	http(app.url, "/api/auth/federated", { body: { provider, idToken }, headers: { "X-Forwarded-For": newAddress() } });
const at = async (issuer: Foreign, name: string, claims: Record<string, unknown> = {}) =>
	signIn(name, await issuer.token({ sub: randomUUID(), email: `${randomUUID()}@example.org`, ...claims }));
const count = (issuer: Foreign, path: string) => issuer.asked.filter((one) => one === path).length;

/** A server that nobody should ask. */
const trap = { asked: 0, url: "" };
const trapServer = createServer((_req, res) => {
	trap.asked++;
	res.end("{}");
});
await new Promise<void>((resolve) => trapServer.listen(0, "127.0.0.1", resolve));
trap.url = `http://127.0.0.1:${(trapServer.address() as AddressInfo).port}`;
after(() => trapServer.close());

describe("an issuer's keys", () => {
	test("are asked for once, and again when a token names one that is not known", async () => {
		for (let i = 0; i < 5; i++) is(await at(rotating, "rotating"), 200);
		assert.deepEqual([count(rotating, DISCOVERY), count(rotating, "/jwks")], [1, 1]);
		const old = rotating.pair;
		await rotating.rotate();
		for (let i = 0; i < 5; i++) is(await at(rotating, "rotating"), 200);
		assert.equal(count(rotating, "/jwks"), 2);
		const forged = await rotating.token({ sub: "x", email: "x@example.org" }, { header: { kid: old.kid }, key: old.privateKey });
		is(await signIn("rotating", forged), 401, "invalid-token");
	});

	test("are asked for anew by one request for many who come at once", async () => {
		await rotating.rotate();
		const before = count(rotating, "/jwks");
		turnClock(60_000);
		const replies = await Promise.all(Array.from({ length: 20 }, () => at(rotating, "rotating")));
		for (const reply of replies) is(reply, 200);
		assert.ok(count(rotating, "/jwks") - before <= 2);
	});

	test("are not asked for by whoever makes up names of keys, more than now and then", async () => {
		is(await at(guessed, "guessed"), 200);
		const stranger = await makePair();
		for (let i = 0; i < 30; i++) {
			const forged = await guessed.token({ sub: "x" }, { header: { kid: randomUUID() }, key: stranger.privateKey });
			is(await signIn("guessed", forged), 401, "invalid-token");
		}
		assert.ok(count(guessed, "/jwks") <= 3, `${count(guessed, "/jwks")} questions`);
	});

	test("stay good for a while where the issuer does not answer, and not for ever", async () => {
		is(await at(away, "away"), 200);
		const gone = (_req: unknown, res: ServerResponse) => res.destroy();
		away.instead.set(DISCOVERY, gone).set("/jwks", gone);
		turnClock(20 * 60_000);
		is(await at(away, "away"), 200);
		turnClock(60 * 60_000);
		const refused = is(await at(away, "away"), 503, "issuer-unavailable");
		assert.ok(Number(refused.headers.get("retry-after")) > 0);
		away.instead.clear();
		turnClock(2_000);
		is(await at(away, "away"), 200);
	});
});

describe("an issuer", () => {
	test("that does not answer is told soon, to all who wait for it; nobody else waits", async () => {
		dumb.instead.set(DISCOVERY, () => {});
		const began = performance.now();
		const waiting = Promise.all(Array.from({ length: 20 }, () => at(dumb, "dumb")));
		is(await at(plain, "plain"), 200);
		assert.equal(count(dumb, DISCOVERY), 1);
		for (const reply of await waiting) is(reply, 503, "issuer-unavailable");
		assert.ok(performance.now() - began < 15_000);
		dumb.instead.clear();
		await eventually(async () => is(await at(dumb, "dumb"), 200));
	});

	test("whose document or keys are of 10 MB is not read to the end", async () => {
		for (const [issuer, name, path] of [
			[huge, "huge", DISCOVERY],
			[endless, "endless", "/jwks"],
		] as const) {
			let sent = 0;
			let ended = false;
			issuer.instead.set(path, (_req, res) => {
				const more = () => {
					while (sent < 10_000_000 && !res.destroyed) {
						sent += 65_536;
						if (!res.write(`"${"x".repeat(65_534)}`)) return res.once("drain", more);
					}
					ended = !res.destroyed;
					res.end();
				};
				res.write("{");
				more();
			});
			is(await at(issuer, name), 503, "issuer-unavailable");
			assert.equal(ended, false, `${sent} bytes were taken`);
			assert.ok(sent < 9_000_000, `${sent} bytes were taken`);
		}
	});

	test("that redirects is not followed: not to this machine, not to a cloud's metadata, not anywhere", async () => {
		for (const location of [trap.url, "http://169.254.169.254/latest/meta-data/", `${plain.issuer}${DISCOVERY}`]) {
			redirected.instead.set(DISCOVERY, (_req, res) => res.writeHead(302, { Location: location }).end());
			turnClock(2_000);
			is(await at(redirected, "redirected"), 503, "issuer-unavailable");
		}
		assert.equal(trap.asked, 0);
		assert.deepEqual(
			plain.asked.filter((path) => path === DISCOVERY),
			[DISCOVERY],
		);
	});

	test("whose document points into another private network is not asked there", async () => {
		for (const jwks_uri of [
			`${trap.url}/jwks`,
			"https://127.0.0.1/jwks",
			"https://169.254.169.254/jwks",
			"https://[::1]/jwks",
			"file:///etc/passwd",
		]) {
			metadata.document = { jwks_uri };
			turnClock(11 * 60_000);
			is(await at(metadata, "metadata"), 503, "issuer-unavailable");
		}
		keysmoved.document = { token_endpoint: `${trap.url}/token` };
		is(await at(keysmoved, "keysmoved"), 503, "issuer-unavailable");
		assert.equal(trap.asked, 0);
	});

	test("whose document is another's is not believed", async () => {
		liar.document = { issuer: plain.issuer };
		is(await at(liar, "liar"), 503, "issuer-unavailable");
		turnClock(2_000);
		is(await at(liar, "liar", { iss: plain.issuer }), 503, "issuer-unavailable");
	});

	test("that says what is no document, or keys that are none, is unavailable", async () => {
		for (const body of ["", "<html>", "[]", "null", "{", '{"issuer":7}']) {
			broken.instead.set(DISCOVERY, (_req, res) => res.end(body));
			turnClock(2_000);
			is(await at(broken, "broken"), 503, "issuer-unavailable");
		}
		for (const body of ['{"keys":7}', "{}", JSON.stringify({ keys: Array.from({ length: 200 }, () => nokeys.pair.jwk) })]) {
			nokeys.instead.set("/jwks", (_req, res) => res.end(body));
			turnClock(2_000);
			is(await at(nokeys, "nokeys"), 503, "issuer-unavailable");
		}
		nokeys.instead.set("/jwks", (_req, res) => res.end(JSON.stringify({ keys: [null, 7, { kty: "RSA" }, {}, nokeys.pair.jwk] })));
		turnClock(2_000);
		is(await at(nokeys, "nokeys"), 200);
	});

	test("may be spelt with a slash at its end or without: its tokens have it as it says", async () => {
		is(await at(slash, "slash"), 200);
		is(await at(slash, "slash", { iss: `${slash.issuer}/` }), 401, "invalid-token");
	});
});

describe("asking outside", () => {
	const refused = (url: string, question = {}) =>
		assert.rejects(askOutside(new URL(url), question), (error) => error instanceof OutsideError);

	test("goes into no private network, by whatever name or number", async () => {
		const { port } = new URL(trap.url);
		for (const host of [
			"127.0.0.1",
			"localhost",
			"0",
			"0x7f.1",
			"2130706433",
			"[::1]",
			"[::ffff:127.0.0.1]",
			"169.254.169.254",
			"10.0.0.1",
		])
			await refused(`https://${host}:${port}/`);
		assert.equal(trap.asked, 0);
	});

	test("is by https, and takes plain http inside only", async () => {
		await refused(trap.url);
		await refused("http://example.org/");
		assert.equal((await askOutside(new URL(trap.url), { inside: true })).status, 200);
	});

	test("ends at its time, also where bytes come one by one", async () => {
		const drip = createServer((_req, res) => {
			res.write("{");
			const timer = setInterval(() => res.write(" "), 20);
			res.on("close", () => clearInterval(timer));
		});
		await new Promise<void>((resolve) => drip.listen(0, "127.0.0.1", resolve));
		await refused(`http://127.0.0.1:${(drip.address() as AddressInfo).port}`, { inside: true, timeoutMs: 200 });
		drip.closeAllConnections();
		drip.close();
	});

	test("reads nothing that is compressed", async () => {
		const squeezed = createServer((_req, res) => res.writeHead(200, { "Content-Encoding": "gzip" }).end("x"));
		await new Promise<void>((resolve) => squeezed.listen(0, "127.0.0.1", resolve));
		await refused(`http://127.0.0.1:${(squeezed.address() as AddressInfo).port}`, { inside: true });
		squeezed.close();
	});
});

test("with ALLOW_PRIVATE_ENDPOINTS an issuer's servers may be anywhere", async () => {
	await app.stop();
	const open = await startTestApp({ ...environment, ALLOW_PRIVATE_ENDPOINTS: "true" });
	metadata.document = { jwks_uri: metadata.issuer.replace("127.0.0.1", "localhost").concat("/jwks") };
	const idToken = await metadata.token({ sub: randomUUID(), email: `${randomUUID()}@example.org` });
	is(await http(open.url, "/api/auth/federated", { body: { provider: "metadata", idToken } }), 200);
	await open.stop();
});
