// What nobody may say of themselves: each body of the sign-in routes takes the fields it names, and no other.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { database } from "../../mixins/postgres.ts";
import { routes } from "../../services/api/routes/index.ts";
import { contractOf } from "../../services/contracts/index.ts";
import { makeClient, official } from "../support/clients.ts";
import { http, is, person, testApp } from "../support/kit.ts";

const app = await testApp();
const { url } = app;
const admin = await official(app);
const sql = <R>(text: string, values: unknown[]) => database("identity").query<R>(text, values);

/** What would make somebody more than they are, if anybody listened. */
const GREEDY: Record<string, unknown> = {
	role: "admin",
	roles: ["admin"],
	state: "active",
	id: randomUUID(),
	accountId: randomUUID(),
	profileId: randomUUID(),
	sessionId: randomUUID(),
	kind: "organization",
	scope: "clients:write",
	scopes: ["clients:write"],
	emailVerified: true,
	bannedUntil: null,
	passwordHash: "x",
	createdAt: "2020-01-01T00:00:00.000Z",
	account: { role: "admin" },
	isAdmin: true,
	$where: "1",
	constructor: { prototype: { role: "admin" } },
};
const ana = await person(url, "Ana");
const newcomer = () => ({ email: `${randomUUID()}@example.org`, password: "circular things", displayName: "Kim" });
const client = await makeClient(admin, ["ops:read"]);
const texts = { en: { title: "Terms", content: "Be kind." } };

/** A good body of each route, and who sends it. */
const bodies: Record<string, { path?: string; body: () => Record<string, unknown>; token?: string }> = {
	"POST /api/auth/register": { body: newcomer },
	"POST /api/auth/login": { body: () => ({ email: ana.email, password: ana.password }) },
	"POST /api/auth/refresh": { body: () => ({ refreshToken: ana.refreshToken }) },
	"POST /api/auth/logout": { body: () => ({}), token: ana.accessToken },
	"POST /api/auth/tos/accept": { body: () => ({}), token: ana.accessToken },
	"POST /api/admin/clients": { body: () => ({ name: "x", scopes: [] }), token: admin.accessToken },
	"POST /api/admin/clients/:clientId/rotate-secret": {
		path: `/api/admin/clients/${client.clientId}/rotate-secret`,
		body: () => ({}),
		token: admin.accessToken,
	},
	"POST /api/admin/tos": { body: () => ({ version: randomUUID(), texts }), token: admin.accessToken },
};

describe("mass assignment", () => {
	for (const [route, { path = route.split(" ")[1] as string, body, token }] of Object.entries(bodies)) {
		test(`${route} refuses each field that is not its own`, async () => {
			const row = routes.find((one) => `${one.method} ${one.path}` === route);
			assert.ok(row, route);
			const own = contractOf(row.action).params;
			for (const [field, value] of Object.entries(GREEDY)) {
				if (Object.hasOwn(own, field)) continue;
				const reply = is(await http(url, path, { token, body: { ...body(), [field]: value } }), 422, "validation");
				assert.deepEqual([reply.body.errors[0].path, reply.body.errors[0].code], [field, "unknown"]);
			}
		});
	}

	test("`__proto__` in a body makes nobody more than they are", async () => {
		const body = JSON.stringify(newcomer()).replace("{", '{"__proto__": {"role": "admin"}, ');
		const reply = await http(url, "/api/auth/register", { body });
		assert.ok(reply.status === 422 || reply.body.account.role === "user", JSON.stringify(reply.body));
		assert.equal(({} as { role?: string }).role, undefined);
	});

	test("the token endpoint passes over what it does not know, as its standard wants, and grants nothing by it", async () => {
		const body = { grant_type: "password", username: ana.email, password: ana.password, ...GREEDY, scope: "clients:write ops:read" };
		const reply = is(await http(url, "/api/auth/token", { body }), 200).body;
		const { sub, roles, scope } = decodeJwt(reply.access_token);
		assert.deepEqual([sub, roles, scope], [ana.accountId, ["user", "consumer"], "account:own"]);
		const [row] = await sql<{ role: string; state: string }>("select role, state from accounts where id = $1", [ana.accountId]);
		assert.deepEqual(row, { role: "user", state: "unverified" });
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
