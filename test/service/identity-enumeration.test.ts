// Who has an account is not told: not by a text, not by a status, not by a header, not by the work that is done. Each door is asked
// about an account in every state that there is, and about nobody.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { accountState } from "../../services/contracts/identity.ts";
import { computed } from "../../services/identity/sign-in/hashing.ts";
import { codeOf, softPasskey } from "../support/factors.ts";
import type { Person, Reply } from "../support/kit.ts";
import { http, is, person, testApp } from "../support/kit.ts";

const app = await testApp();
const { url } = app;
const sql = (text: string, values: unknown[]) => database("identity").query(text, values);
const post = (path: string, body: unknown) => http(url, path, { body, keyless: true });

async function inState(state: string): Promise<Person> {
	const ana = await person(url, "Ana");
	await sql("update accounts set state = $2, banned_until = null where id = $1", [ana.accountId, state]);
	return ana;
}
async function withApp(): Promise<Person & { recoveryCodes: string[] }> {
	const ana = await person(url, "Ana");
	const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
	const { recoveryCodes } = is(await ana.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200).body;
	return Object.assign(ana, { recoveryCodes });
}
async function withPasskey(): Promise<Person> {
	const ana = await person(url, "Ana");
	const passkey = softPasskey(new URL(url).origin);
	const options = is(await ana.post("/api/auth/mfa/passkeys/options"), 200).body;
	is(await ana.post("/api/auth/mfa/passkeys", { response: passkey.create(options), name: "Phone" }), 201);
	return ana;
}
async function withoutPassword(): Promise<Person> {
	const ana = await inState("active");
	await sql("update accounts set password_hash = null where id = $1", [ana.accountId]);
	return ana;
}

/** An e-mail of each kind; the last one is nobody's. */
const emails = new Map<string, string>();
for (const state of accountState.values) emails.set(state, (await inState(state)).email);
emails.set("with an authenticator app", (await withApp()).email);
emails.set("with a passkey", (await withPasskey()).email);
emails.set("without a password", (await withoutPassword()).email);
emails.set("nobody's", `${randomUUID()}@example.org`);

/** What somebody outside could tell apart, but for what is new in every answer. */
function seen({ status, headers, body }: Reply): string {
	const { requestId: _, ...rest } = body;
	const told = [...headers].filter(([name]) => !["date", "x-request-id", "content-length", "ratelimit"].includes(name)).sort();
	return JSON.stringify([status, rest, told]);
}
/** Asks the same about each; answers what was seen and the work done. */
async function alike(about: Iterable<readonly [string, () => Promise<Reply>]>, hashes: number): Promise<Reply> {
	let first: { kind: string; seen: string; reply: Reply } | undefined;
	for (const [kind, ask] of about) {
		const before = computed.hashes;
		const reply = await ask();
		assert.equal(computed.hashes - before, hashes, `hashes for ${kind}`);
		first ??= { kind, seen: seen(reply), reply };
		assert.equal(seen(reply), first.seen, `${kind} as against ${first.kind}`);
	}
	return first?.reply as Reply;
}

const NEW = "four green bottles";
/** A wrong try at each door that is asked by an e-mail: what it answers, and how many hashes it computes. */
const doors: Record<string, { path: string; body: (email: string) => object; status: number; hashes: number }> = {
	"login with a wrong password": {
		path: "/api/auth/login",
		body: (email) => ({ email, password: "not this one" }),
		status: 401,
		hashes: 1,
	},
	"the password grant with a wrong password": {
		path: "/api/auth/token",
		body: (username) => ({ grant_type: "password", username, password: "not this one" }),
		status: 400,
		hashes: 1,
	},
	"a lost password": { path: "/api/auth/forgot-password", body: (email) => ({ email }), status: 202, hashes: 0 },
	"the verification once more": { path: "/api/auth/resend-verification", body: (email) => ({ email }), status: 202, hashes: 0 },
	"verifying with a wrong code": {
		path: "/api/auth/verify-email",
		body: (email) => ({ email, code: "x" }),
		status: 400,
		hashes: 0,
	},
	"a new password with a wrong code": {
		path: "/api/auth/reset-password",
		body: (email) => ({ email, code: "x", password: NEW }),
		status: 400,
		hashes: 0,
	},
};

describe("the same answer for every account and for none, at the same work", () => {
	for (const [door, { path, body, status, hashes }] of Object.entries(doors)) {
		test(door, async () => {
			const asked = [...emails].map(([kind, email]) => [kind, () => post(path, body(email))] as const);
			assert.equal((await alike(asked, hashes)).status, status);
		});
	}

	test("a link that nobody was mailed", async () => {
		for (const [path, more] of [
			["/api/auth/verify-email", {}],
			["/api/auth/reset-password", { password: NEW }],
		] as const) {
			const tokens = ["x", "A".repeat(43), randomUUID()].map((token) => [token, () => post(path, { token, ...more })] as const);
			is(await alike(tokens, 0), 400, "invalid-code");
		}
	});

	test("a second step whose ticket is unknown, used up, over, or tried too often", async () => {
		const ana = await withApp();
		const ticketOf = async () => is(await post("/api/auth/login", { email: ana.email, password: ana.password }), 200).body.ticket as string;
		const [used, over, spent] = [await ticketOf(), await ticketOf(), await ticketOf()];
		is(await post("/api/auth/mfa/login", { ticket: used, method: "recovery", code: ana.recoveryCodes[0] }), 200);
		for (let i = 0; i < 5; i++)
			is(await post("/api/auth/mfa/login", { ticket: spent, method: "recovery", code: `AAAA-${i}` }), 401, "invalid-credentials");
		await sql("update mfa_tickets set expires_at = $2 where account_id = $1", [ana.accountId, new Date(0)]);
		const tickets = { unknown: "A".repeat(43), "used up": used, over, "tried too often": spent };
		for (const method of ["totp", "recovery"]) {
			const asked = Object.entries(tickets).map(
				([kind, ticket]) => [kind, () => post("/api/auth/mfa/login", { ticket, method, code: "000000" })] as const,
			);
			is(await alike(asked, 0), 401, "invalid-token");
		}
		const options = Object.entries(tickets).map(([kind, ticket]) => [kind, () => post("/api/auth/passkeys/options", { ticket })] as const);
		is(await alike(options, 0), 401, "invalid-token");
	});

	test("a second step with a wrong code, whatever the account has, and by whichever method", async () => {
		const [app1, key] = [await withApp(), await withPasskey()];
		const asked = [];
		for (const [kind, { email, password }] of Object.entries({ "an app": app1, "a passkey": key })) {
			for (const method of ["totp", "recovery"]) {
				const { ticket } = is(await post("/api/auth/login", { email, password }), 200).body;
				asked.push([`${method} of ${kind}`, () => post("/api/auth/mfa/login", { ticket, method, code: "000000" })] as const);
			}
		}
		is(await alike(asked, 0), 401, "invalid-credentials");
	});

	test("a passkey's options, which are asked for nobody", async () => {
		assert.deepEqual(is(await post("/api/auth/passkeys/options", {}), 200).body.allowCredentials, []);
		for (const field of ["email", "accountId", "userHandle"])
			is(await post("/api/auth/passkeys/options", { [field]: emails.get("with a passkey") }), 422, "validation");
	});

	test("a passkey of nobody, of a trashed account, of a purged one, or under a wrong signature", async () => {
		const options = async () => is(await post("/api/auth/passkeys/options", {}), 200).body;
		const enrolled = async () => {
			const ana = await person(url, "Ana");
			const passkey = softPasskey(new URL(url).origin);
			is(
				await ana.post("/api/auth/mfa/passkeys", {
					response: passkey.create((await ana.post("/api/auth/mfa/passkeys/options")).body),
					name: "P",
				}),
				201,
			);
			return { ana, passkey };
		};
		const [wrong, trashed, purged] = [await enrolled(), await enrolled(), await enrolled()];
		await sql("update accounts set state = 'trashed' where id = $1", [trashed.ana.accountId]);
		await sql("update accounts set state = 'purged' where id = $1", [purged.ana.accountId]);
		const login = async (response: unknown) => post("/api/auth/passkeys/login", { response });
		const asked = [
			["unknown", async () => login(softPasskey(new URL(url).origin).get(await options()))],
			["trashed", async () => login(trashed.passkey.get(await options()))],
			["purged", async () => login(purged.passkey.get(await options()))],
			["wrong", async () => login(wrong.passkey.get(await options(), { stranger: true }))],
		] as const;
		is(await alike(asked, 0), 401, "invalid-credentials");
	});
});

describe("who knows the password", () => {
	test("is told of a ban, and nobody else is", async () => {
		const banned = await inState("banned");
		is(await post("/api/auth/login", { email: banned.email, password: banned.password }), 403, "banned");
		is(await post("/api/auth/login", { email: banned.email, password: "not this one" }), 401, "invalid-credentials");
	});
});
