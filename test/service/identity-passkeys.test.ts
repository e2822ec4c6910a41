// Passkeys through the door, with one in software that can also lie; and what asks for a step-up. A real browser's are in
// test/cluster/passkeys-browser.test.ts.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { database } from "../../mixins/postgres.ts";
import type { Person, Reply } from "../support/kit.ts";
import { http, is, person, stopClock, testApp, turnClock } from "../support/kit.ts";
import type { Lie } from "../support/factors.ts";
import { codeOf, softPasskey } from "../support/factors.ts";

const app = await testApp();
const origin = new URL(app.url).origin;
const post = (path: string, body: unknown = {}, headers = {}) => http(app.url, path, { body, headers });
const sql = <R = Record<string, unknown>>(text: string, values: unknown[] = []) => database("identity").query<R>(text, values);

type SoftPasskey = ReturnType<typeof softPasskey>;
const creation = async (who: Person) => is(await who.post("/api/auth/mfa/passkeys/options"), 200).body;
const request = async (body = {}) => is(await post("/api/auth/passkeys/options", body), 200).body;
async function enrol(who: Person, passkey: SoftPasskey, lie: Lie = {}): Promise<Reply> {
	return who.post("/api/auth/mfa/passkeys", { response: passkey.create(await creation(who), lie), name: "Phone" });
}
const login = async (passkey: SoftPasskey, lie: Lie = {}) =>
	post("/api/auth/passkeys/login", { response: passkey.get(await request(), lie) });
async function withPasskey() {
	const ana = await person(app.url, "Ana");
	const passkey = softPasskey(origin);
	const { body } = is(await enrol(ana, passkey), 201);
	return { ana, passkey, made: body };
}
const ticketOf = async ({ email, password }: Person) => is(await post("/api/auth/login", { email, password }), 200).body;

describe("a passkey", () => {
	test("is made, listed without its key, and removed; the first comes with recovery codes", async () => {
		const { ana, made } = await withPasskey();
		assert.equal(made.recoveryCodes.length, 10);
		const { recoveryCodes: _, ...shown } = made;
		assert.deepEqual((await ana.get("/api/auth/mfa/passkeys")).body, { data: [shown], nextCursor: null });
		assert.deepEqual(Object.keys(shown).sort(), ["backedUp", "createdAt", "id", "lastUsedAt", "name"]);
		assert.equal("recoveryCodes" in is(await enrol(ana, softPasskey(origin)), 201).body, false);
		assert.equal((await ana.get("/api/auth/me")).body.account.mfa, true);
		for (const { id } of (await ana.get("/api/auth/mfa/passkeys")).body.data)
			is(await ana.send("DELETE", `/api/auth/mfa/passkeys/${id}`), 204);
		assert.deepEqual((await ana.get("/api/auth/mfa")).body, { mfa: false, totp: false, passkeys: 0, recoveryCodes: 0 });
		assert.equal((await ana.get("/api/auth/me")).body.account.mfa, false);
	});

	test("signs in alone, as two factors in one", async () => {
		const { ana, passkey } = await withPasskey();
		const { body } = is(await login(passkey), 200);
		assert.equal(body.account.id, ana.accountId);
		assert.equal(decodeJwt(body.tokens.accessToken).acr, "2");
		assert.ok((await ana.get("/api/auth/mfa/passkeys")).body.data[0].lastUsedAt);
	});

	test("is the second step of a login, by the options of its answer or of its ticket", async () => {
		const { ana, passkey } = await withPasskey();
		const first = await ticketOf(ana);
		assert.deepEqual([first.mfaRequired, first.methods], [true, ["passkey", "recovery"]]);
		assert.deepEqual(
			first.options.allowCredentials.map(({ id }: { id: string }) => id),
			[passkey.id],
		);
		const response = passkey.get(first.options);
		const entered = is(await post("/api/auth/mfa/login", { ticket: first.ticket, method: "passkey", response }), 200).body;
		assert.equal(entered.account.id, ana.accountId);
		const { ticket } = await ticketOf(ana);
		const options = await request({ ticket });
		is(await post("/api/auth/mfa/login", { ticket, method: "passkey", response: passkey.get(options) }), 200);
		is(await post("/api/auth/passkeys/options", { ticket }), 401, "invalid-token");
	});

	test("steps up", async () => {
		const { ana, passkey } = await withPasskey();
		const { body } = is(await ana.post("/api/auth/step-up", { response: passkey.get(await request()) }), 200);
		assert.equal(decodeJwt(body.tokens.accessToken).acr, "2");
	});

	test("of one's own is asked not to be made again, and is refused where it was", async () => {
		const { ana, passkey } = await withPasskey();
		const options = await creation(ana);
		assert.deepEqual(options.excludeCredentials, [{ id: passkey.id, type: "public-key", transports: ["internal"] }]);
		assert.deepEqual([options.rp.id, options.user.name, options.attestation], ["localhost", ana.email, "none"]);
		is(await enrol(ana, passkey), 409, "conflict");
		is(await enrol(await person(app.url, "Ben"), passkey), 409, "conflict");
	});

	test("twenty are enough", async () => {
		const { ana } = await withPasskey();
		for (let i = 1; i < 20; i++) is(await enrol(ana, softPasskey(origin)), 201);
		is(await enrol(ana, softPasskey(origin)), 409, "conflict");
	});

	test("of somebody else is not there", async () => {
		const { made } = await withPasskey();
		is(await (await person(app.url, "Ben")).send("DELETE", `/api/auth/mfa/passkeys/${made.id}`), 404, "not-found");
	});
});

describe("making a passkey is refused", () => {
	const chain = [new Uint8Array([1]), new Uint8Array([2])];
	const lies: [string, Lie][] = [
		["for another site", { origin: "https://evil.example" }],
		["for another domain", { rpId: "evil.example" }],
		["when it is a use, not a making", { type: "webauthn.get" }],
		["with a challenge that was never given", { challenge: "AAAA" }],
		["when nobody was there", { flags: 4 }],
		["when the device did not look who it is", { flags: 1 }],
		["out of another page's frame", { crossOrigin: true }],
		["with a certificate, whose issuer would be asked", { attestation: { fmt: "packed", attStmt: new Map([["x5c", chain]]) } }],
		["with an attestation of another form", { attestation: { fmt: "fido-u2f", attStmt: new Map() } }],
		[
			"with a signature that is none",
			{
				attestation: {
					fmt: "packed",
					attStmt: new Map<string, unknown>([
						["alg", -7],
						["sig", new Uint8Array(70)],
					]),
				},
			},
		],
	];
	for (const [what, lie] of lies) {
		test(what, async () => {
			const ana = await person(app.url, "Ana");
			const { body } = is(await enrol(ana, softPasskey(origin), lie), 422, "validation");
			assert.equal(body.errors[0].path, "response");
			assert.equal((await ana.get("/api/auth/me")).body.account.mfa, false);
		});
	}

	test("with a challenge used before, given to another, given for signing in, or grown old", async () => {
		const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
		const refuse = async (who: Person, options: unknown) =>
			is(
				await who.post("/api/auth/mfa/passkeys", { response: softPasskey(origin).create(options as never), name: "x" }),
				422,
				"validation",
			);
		const options = await creation(ana);
		await refuse(ben, options);
		await refuse(ana, options);
		const again = await creation(ana);
		is(await ana.post("/api/auth/mfa/passkeys", { response: softPasskey(origin).create(again), name: "x" }), 201);
		await refuse(ana, again);
		await refuse(ana, { ...again, challenge: (await request()).challenge });
		const old = await creation(ana);
		await sql("update passkey_challenges set expires_at = now() - interval '1 second'");
		await refuse(ana, old);
	});
});

describe("a passkey's answer is refused", () => {
	const lies: [string, Lie][] = [
		["for another site", { origin: "https://evil.example" }],
		["for another domain", { rpId: "evil.example" }],
		["when it is a making, not a use", { type: "webauthn.create" }],
		["with a challenge that was never given", { challenge: "AAAA" }],
		["when nobody was there", { flags: 4 }],
		["when the device did not look who it is", { flags: 1 }],
		["out of another page's frame", { crossOrigin: true }],
		["signed by another key", { stranger: true }],
		["under somebody else's name", { userHandle: "AAAAAAAAAAAAAAAAAAAAAA" }],
	];
	for (const [what, lie] of lies) {
		test(what, async () => {
			const { passkey } = await withPasskey();
			is(await login(passkey, lie), 401, "invalid-credentials");
			is(await login(passkey), 200);
		});
	}

	test("in one way, be the passkey unknown, its owner gone, or its signature wrong", async () => {
		const [gone, wrong] = [await withPasskey(), await withPasskey()];
		await sql("update accounts set state = 'trashed' where id = $1", [gone.ana.accountId]);
		const answers = [await login(softPasskey(origin)), await login(gone.passkey), await login(wrong.passkey, { stranger: true })];
		const said = answers.map((answer) => {
			const { requestId: _, ...rest } = is(answer, 401, "invalid-credentials").body;
			return JSON.stringify(rest);
		});
		assert.equal(new Set(said).size, 1);
	});

	test("and tells a banned owner so", async () => {
		const { ana, passkey } = await withPasskey();
		await sql("update accounts set state = 'banned' where id = $1", [ana.accountId]);
		is(await login(passkey), 403, "banned");
	});

	test("the second time, many times at once too", async () => {
		const { passkey } = await withPasskey();
		const response = passkey.get(await request());
		const replies = await Promise.all(Array.from({ length: 10 }, () => post("/api/auth/passkeys/login", { response })));
		assert.deepEqual(replies.map(({ status }) => status).sort(), [200, ...new Array(9).fill(401)]);
	});

	test("when its challenge has grown old", async () => {
		const { passkey } = await withPasskey();
		const response = passkey.get(await request());
		await sql("update passkey_challenges set expires_at = now() - interval '1 second'");
		is(await post("/api/auth/passkeys/login", { response }), 401, "invalid-credentials");
	});

	test("when its count went back: there are two of it, which the audit knows", async () => {
		const { ana, passkey } = await withPasskey();
		is(await login(passkey, { counter: 10 }), 200);
		for (const counter of [10, 9, 0]) is(await login(passkey, { counter }), 401, "invalid-credentials");
		is(await login(passkey, { counter: 11 }), 200);
		const entries = await sql<{ detail: { given: number } }>(
			"select detail from audit where target = $1 and action = 'passkey.cloned' order by id",
			[ana.accountId],
		);
		assert.deepEqual(
			entries.map(({ detail }) => detail.given),
			[10, 9, 0],
		);
	});

	test("at another's second step, and where the challenge was another's", async () => {
		const [ana, ben] = [await withPasskey(), await withPasskey()];
		const { ticket, options } = await ticketOf(ana.ana);
		const attempt = (response: unknown) => post("/api/auth/mfa/login", { ticket, method: "passkey", response });
		is(await attempt(ben.passkey.get(options)), 401, "invalid-credentials");
		is(await attempt(ben.passkey.get(await request())), 401, "invalid-credentials");
		const bens = (await ticketOf(ben.ana)).options;
		is(await attempt(ana.passkey.get(bens)), 401, "invalid-credentials");
		is(await attempt(ana.passkey.get(await request({ ticket }))), 200);
	});

	test("at a step-up of somebody else's session", async () => {
		const [ana, ben] = [await withPasskey(), await withPasskey()];
		is(await ana.ana.post("/api/auth/step-up", { response: ben.passkey.get(await request()) }), 401, "invalid-credentials");
	});
});

describe("an authenticator app through the door", () => {
	test("from its secret to its removal", async () => {
		stopClock();
		const ana = await person(app.url, "Ana");
		const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
		const { recoveryCodes } = is(await ana.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200).body;
		const { ticket, methods } = await ticketOf(ana);
		assert.deepEqual(methods, ["totp", "recovery"]);
		is(await post("/api/auth/mfa/login", { ticket, method: "totp", code: codeOf(secret) }), 401, "invalid-credentials");
		const entered = is(await post("/api/auth/mfa/login", { ticket, method: "totp", code: codeOf(secret, 1) }), 200).body;
		assert.equal(entered.account.mfa, true);
		is(await ana.post("/api/auth/mfa/recovery-codes"), 200);
		is(await ana.send("DELETE", "/api/auth/mfa/totp?code=123456"), 422, "validation");
		is(await ana.send("DELETE", "/api/auth/mfa/totp", { code: recoveryCodes[0] }), 401, "invalid-credentials");
		is(await ana.send("DELETE", "/api/auth/mfa/totp", { code: codeOf(secret, -1) }), 204);
		is(await ana.post("/api/auth/mfa/recovery-codes"), 409, "wrong-state");
	});

	test("its bodies take nothing that is not theirs", async () => {
		const ana = await person(app.url, "Ana");
		is(await ana.post("/api/auth/mfa/totp", { accountId: randomUUID() }), 422, "validation");
		is(await ana.post("/api/auth/mfa/totp/confirm", { code: "123456", confirmedAt: "2026-01-01T00:00:00.000Z" }), 422, "validation");
		is(await post("/api/auth/mfa/login", { ticket: "x", method: "totp", code: "123456", accountId: ana.accountId }), 422, "validation");
		is(await ana.post("/api/auth/step-up", { password: ana.password, acr: "3" }), 422, "validation");
	});
});

describe("a step-up", () => {
	const dangerous: [string, string, unknown?][] = [
		["POST", "/api/auth/mfa/totp", {}],
		["POST", "/api/auth/mfa/totp/confirm", { code: "123456" }],
		["DELETE", "/api/auth/mfa/totp", { code: "123456" }],
		["POST", "/api/auth/mfa/recovery-codes", {}],
		["POST", "/api/auth/mfa/passkeys/options", {}],
		["POST", "/api/auth/mfa/passkeys", {}],
		["DELETE", `/api/auth/mfa/passkeys/${randomUUID()}`],
	];

	test("is in the document of the door", async () => {
		const { paths } = (await http(app.url, "/api/openapi.json")).body;
		for (const [method, path] of dangerous) {
			const operation = paths[path.replace(/[0-9a-f-]{36}/, "{passkeyId}")][method.toLowerCase()];
			assert.match(operation.description, /step-up-required/, path);
			assert.ok(operation.responses["403"]);
		}
		const { content } = paths["/api/auth/login"].post.responses["200"];
		assert.equal(content["application/json"].schema.oneOf.length, 2);
		assert.ok(paths["/api/auth/mfa/totp"].delete.requestBody, "its code does not stand in a URL");
	});

	test("by password is one though its answer is asked for twice", async () => {
		const ana = await person(app.url, "Ana");
		const headers = { "Idempotency-Key": randomUUID() };
		const ask = () => ana.post("/api/auth/step-up", { password: ana.password }, headers);
		assert.deepEqual((await ask()).body, (await ask()).body);
	});

	// The last of the file: with the clock turned back, request limits think that all is spent.
	test("is asked for by what changes second factors, five minutes after a login", async () => {
		stopClock();
		const ana = await person(app.url, "Ana");
		turnClock(300_000);
		is(await ana.post("/api/auth/mfa/passkeys/options"), 200);
		turnClock(1_000);
		for (const [method, path, body] of dangerous) is(await ana.send(method, path, body), 403, "step-up-required");
		is(await ana.get("/api/auth/mfa"), 200);
		is(await ana.post("/api/auth/step-up", { password: "something else" }), 401, "invalid-credentials");
		is(await ana.post("/api/auth/step-up", {}), 422, "validation");
		const { tokens } = is(await ana.post("/api/auth/step-up", { password: ana.password }), 200).body;
		assert.deepEqual(Object.keys(tokens).sort(), ["accessToken", "expiresIn", "refreshToken", "tokenType"]);
		const stepped = (method: string, path: string, body?: unknown) => http(app.url, path, { method, token: tokens.accessToken, body });
		for (const [method, path, body] of dangerous)
			assert.notEqual((await stepped(method, path, body)).body.code, "step-up-required", `${method} ${path}`);
		is(await ana.post("/api/auth/mfa/totp"), 403, "step-up-required");
		is(await stepped("POST", "/api/auth/mfa/totp", {}), 201);
	});
});
