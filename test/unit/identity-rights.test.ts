// The registry of rights: who carries which scope, what asks for them, and who may do something to whom.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { routes } from "../../services/api/routes/index.ts";
import { accountRole, profileKind } from "../../services/contracts/identity.ts";
import type { AccountRole } from "../../services/contracts/scopes.ts";
import { isScope, scopeNames, scopes, scopesOfKind, scopesOfRole } from "../../services/contracts/scopes.ts";
import { socketEvents } from "../../services/contracts/socket.ts";
import { mayGive, outranks, rolesOf, scopesOf } from "../../services/identity/domain/scopes.ts";

const consumer = { kind: "consumer" } as const;
const asked = [
	...routes.flatMap(({ method, path, access, details }) =>
		[access, ...(details ? [details] : [])].map((scope) => [`${method} ${path}`, scope]),
	),
	...Object.entries(socketEvents).map(([event, { access }]) => [event, access]),
].filter(([, scope]) => scope !== "anyone" && scope !== "signed-in") as [string, string][];

describe("scopes", () => {
	test("what a route or a socket event asks for stands in the registry, and somebody carries it", () => {
		assert.ok(asked.length > 0);
		for (const [who, scope] of asked) {
			assert.ok(isScope(scope), `${who} asks for ${scope}: give it a row in services/contracts/scopes.ts.`);
			assert.ok(scopes[scope].of.length > 0, `${scope}, which ${who} asks for, is granted to nobody.`);
		}
	});

	test("a name that is not in the registry does not compile, neither in a route nor in a socket event", () => {
		// @ts-expect-error: a typo
		const route = { method: "GET", path: "/api/x", action: "auth.me", access: "ops:raed" } satisfies (typeof routes)[number];
		// @ts-expect-error: a typo
		const event = { ...socketEvents.read, access: "account:onw" } satisfies { access: (typeof socketEvents)["read"]["access"] };
		assert.ok(route && event);
	});

	test("every scope is carried by roles, kinds or a state that exist, and says in a sentence what it opens", () => {
		const known = new Set<string>([...accountRole.values, ...profileKind.values, "mustChangePassword"]);
		for (const name of scopeNames) {
			for (const who of scopes[name].of) assert.ok(known.has(who), `${name}: ${who}`);
			assert.match(scopes[name].means, /^[A-Z].+\.$/, name);
		}
	});

	test("a token carries those of the account's role and of the active profile's kind", () => {
		assert.deepEqual(scopesOf({ role: "user", state: "active" }, consumer), ["account:own"]);
		assert.deepEqual(scopesOf({ role: "user", state: "active" }, { kind: "organization" }), [
			"account:own",
			"store:write",
			"product:write",
		]);
		assert.deepEqual(scopesOf({ role: "user", state: "active" }, { kind: "employee" }), ["account:own", "store:write"]);
		for (const scope of scopesOfKind.organization)
			assert.ok(!scopesOfRole.admin.includes(scope), "what sells is the profile, not the role");
	});

	test("who must change the password gets one narrow scope, whatever the role and the profile", () => {
		for (const role of accountRole.values)
			for (const kind of profileKind.values)
				assert.deepEqual(scopesOf({ role, state: "mustChangePassword" }, { kind }), ["account:password"]);
	});

	test("the roles of a token are the account's role and the active profile's kind", () => {
		assert.deepEqual(rolesOf({ role: "moderator" }, { kind: "organization" }), ["moderator", "organization"]);
	});
});

describe("rank", () => {
	const of = (role: AccountRole) => scopesOfRole[role];

	test("nobody gives a role that carries more than they have", () => {
		const given = (role: AccountRole) => accountRole.values.filter((other) => mayGive(of(role), other));
		assert.deepEqual(given("admin"), ["user", "viewer", "moderator", "government", "admin"]);
		assert.deepEqual(given("moderator"), ["user", "viewer", "moderator", "government"]);
		assert.deepEqual(mayGive([], "user"), false);
	});

	test("nobody does anything to their like or those above; an admin does to admins", () => {
		const below = (role: AccountRole) => accountRole.values.filter((other) => outranks(of(role), other));
		assert.deepEqual(below("admin"), ["user", "viewer", "moderator", "government", "admin"]);
		assert.deepEqual(below("moderator"), ["user", "viewer", "government"]);
		assert.deepEqual(below("user"), []);
	});

	test("a profile that sells is no higher for it", () => {
		assert.equal(outranks([...of("moderator"), ...scopesOfKind.organization], "moderator"), false);
	});
});
