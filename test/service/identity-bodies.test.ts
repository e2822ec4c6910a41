// What nobody may say of themselves: each body of identity's routes takes the fields it names, and no other. What is sent is made
// from the contracts (by way of their OpenAPI document): a new route is asked the day it is written.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { database } from "../../mixins/postgres.ts";
import { routes } from "../../services/api/routes/index.ts";
import { nodeOf } from "../../services/contracts/index.ts";
import { makeClient, official } from "../support/clients.ts";
import type { OpenApi, Operation, Schema } from "../support/fuzz/document.ts";
import { hasBody, operationsOf, plainBy } from "../support/fuzz/document.ts";
import { GREEDY, greedy } from "../support/fuzz/greedy.ts";
import { urlOf } from "../support/fuzz/cases.ts";
import { http, is, person, testApp } from "../support/kit.ts";
import { stored } from "../support/stored.ts";

const app = await testApp();
const { url } = app;
const admin = await official(app);
const sql = <R>(text: string, values: unknown[]) => database("identity").query<R>(text, values);
const ana = await person(url, "Ana");
const newcomer = () => ({ email: `${randomUUID()}@example.org`, password: "circular things", displayName: "Kim" });
const client = await makeClient(admin, ["ops:read"]);

const document: OpenApi = (await http(url, "/api/openapi.json")).body;
const plain = plainBy(document);
const all = operationsOf(document);
const ofIdentity = all.filter(({ id }) => nodeOf(id.split(".")[0] as string) === "identity");
/** An admin who has just signed in: what is refused is what is said, not who says it. */
const token = admin.accessToken;
const nameOf = ({ method, path }: Operation) => `${method} ${path}`;
const pathOf = (operation: Operation) => urlOf({ operations: all, plain, ids: {}, accessToken: token }, operation);
const send = (operation: Operation, path: string, body?: string) => http(url, path, { method: operation.method, token, body });
const unknown = (errors: { path: string; code: string }[]) =>
	errors
		.filter(({ code }) => code === "unknown")
		.map(({ path }) => path)
		.sort();

describe("mass assignment", () => {
	test("is tried at every route of identity", () => {
		const rows = routes.filter(({ action }) => nodeOf(action.split(".")[0] as string) === "identity");
		assert.equal(ofIdentity.length, rows.length);
	});

	test("every body, and every object in one, refuses each field that is not its own, and nothing is changed", async () => {
		const before = await stored("identity");
		let bodies = 0;
		for (const operation of ofIdentity.filter((one) => hasBody(one) && !one.raw && !one.oauth)) {
			const schema: Schema = operation.body ?? { type: "object", properties: {} };
			for (const { at, text, refused } of greedy(schema, plain)) {
				const name = `${nameOf(operation)} ${at}`;
				const reply = is(await send(operation, pathOf(operation), text), 422, "validation");
				// What the path gives is looked at before the rest.
				const inPath = operation.inPath.map((parameter) => parameter.name).filter((given) => refused.includes(given));
				assert.deepEqual(unknown(reply.body.errors), inPath.length > 0 ? inPath : refused, name);
				bodies++;
			}
		}
		assert.ok(bodies > 40, `only ${bodies} bodies`);
		assert.deepEqual(await stored("identity"), before);
	});

	test("every query refuses them as well", async () => {
		const before = await stored("identity");
		for (const operation of ofIdentity.filter(({ loose }) => !loose)) {
			const own = operation.inQuery.map(({ name }) => name);
			const names = [...Object.keys(GREEDY).filter((name) => !own.includes(name)), "__proto__"];
			const path = `${pathOf(operation)}?${names.map((name) => `${name}=1`).join("&")}`;
			const { status, body } = await send(operation, path, operation.method === "GET" || operation.method === "DELETE" ? undefined : "{}");
			if (operation.oauth) assert.equal(status, 400, nameOf(operation));
			else assert.deepEqual([status, unknown(body.errors)], [422, names.sort()], nameOf(operation));
		}
		assert.deepEqual(await stored("identity"), before);
	});

	test("what makes somebody more is a field of these routes alone: whoever adds one says so here", () => {
		const STRONG = ["role", "roles", "state", "accountId", "userId", "emailVerified", "verifiedAt", "mfa", "scope", "scopes", "account"];
		const takes = ofIdentity.flatMap((operation) => {
			const inBody = Object.keys(plain(operation.body ?? {}).properties ?? {}).filter((name) => STRONG.includes(name));
			return inBody.map((name) => `${nameOf(operation)} ${name}`);
		});
		assert.deepEqual(takes.sort(), [
			"POST /api/admin/clients scopes",
			"POST /api/admin/users/bulk-status state",
			"POST /api/auth/token scope",
			"PUT /api/admin/users/{userId}/role role",
		]);
	});

	test("the token endpoint passes over what it does not know, as its standard wants, and grants nothing by it", async () => {
		const body = { grant_type: "password", username: ana.email, ...GREEDY, password: ana.password, scope: "clients:write ops:read" };
		const reply = is(await http(url, "/api/auth/token", { body }), 200).body;
		const { sub, roles, scope } = decodeJwt(reply.access_token);
		assert.deepEqual([sub, roles, scope], [ana.accountId, ["user", "consumer"], "account:own"]);
		const [row] = await sql<{ role: string; state: string }>("select role, state from accounts where id = $1", [ana.accountId]);
		assert.deepEqual(row, { role: "user", state: "unverified" });
	});

	test("so do the other endpoints of OAuth: the answer is the one without", async () => {
		const before = await stored("identity");
		for (const operation of ofIdentity.filter(({ oauth, id }) => oauth && id !== "auth.token")) {
			const own = Object.keys(plain(operation.body ?? {}).properties ?? {});
			const greed = Object.fromEntries(Object.entries(GREEDY).filter(([name]) => !own.includes(name)));
			const body = { token: "x", client_id: client.clientId, client_secret: client.clientSecret };
			const ask = (more: object) => http(url, operation.path, { body: { ...body, ...more }, keyless: true });
			assert.deepEqual(is(await ask(greed), 200).body, is(await ask({}), 200).body, nameOf(operation));
		}
		assert.deepEqual(await stored("identity"), before);
	});

	test("nothing of a body reaches what the path or the query says", async () => {
		is(await http(url, "/api/auth/login", { body: { email: ana.email, password: ana.password, cookie: true } }), 422, "validation");
		is(await http(url, "/api/auth/logout", { token: ana.accessToken, body: { all: true } }), 422, "validation");
		is(
			await http(url, `/api/admin/clients/${client.clientId}/rotate-secret`, {
				token: admin.accessToken,
				body: { clientId: randomUUID() },
			}),
			422,
			"validation",
		);
	});
});

test("a thousand registrations of one e-mail at once make one account, one profile and one session", async () => {
	const { email, ...rest } = newcomer();
	const spelled = [email, email.toUpperCase(), ` ${email} `];
	const replies = await Promise.all(
		Array.from({ length: 1_000 }, (_, i) => http(url, "/api/auth/register", { body: { ...rest, email: spelled[i % 3] }, keyless: true })),
	);
	const made = replies.filter(({ status }) => status === 201);
	assert.equal(made.length, 1);
	// Those that waited too long in the queue of hashes are told to come again.
	for (const { status, body } of replies)
		assert.ok(status === 201 || body.code === "email-taken" || body.code === "unavailable", JSON.stringify(body));
	const [counts] = await sql<{ accounts: number; profiles: number; sessions: number }>(
		`select (select count(*)::int from accounts where email = $1) as accounts,
			(select count(*)::int from profiles p join accounts a on a.id = p.account_id where a.email = $1) as profiles,
			(select count(*)::int from sessions s join accounts a on a.id = s.account_id where a.email = $1) as sessions`,
		[email],
	);
	assert.deepEqual(counts, { accounts: 1, profiles: 1, sessions: 1 });
	is(await http(url, "/api/auth/register", { body: { ...rest, email } }), 409, "email-taken");
});
