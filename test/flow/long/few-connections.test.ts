// With few connections to the database. Whoever holds one and waits for another may wait for ever: what is done in a transaction
// needs no second one. With one connection that shows at once; with two it takes many who come together.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { settings } from "../../../mixins/settings.ts";
import type { Route } from "../../../services/api/route.ts";
import { routes } from "../../../services/api/routes/index.ts";
import { nodeOf } from "../../../services/contracts/index.ts";
import { callers, signIn } from "../../support/access/callers.ts";
import { idOf, rowsOf } from "../../support/access/matrix.ts";
import { codeOf, softPasskey } from "../../support/factors.ts";
import type { Person, TestApp } from "../../support/kit.ts";
import { http, is, person, startTestApp } from "../../support/kit.ts";
import { mailTo } from "../../support/mailbox.ts";

let app: TestApp;
const start = async (poolSize: number) => {
	app = await startTestApp({}, { connections: { poolSize, waitMs: 3_000 } });
	return app.url;
};
afterEach(() => app.stop());

/** What takes two: an erasure writes who is gone for all to see before its own transaction ends (mixins/person). One runs at a time. */
const TAKES_TWO = ["POST /api/admin/users/:userId/purge"];

test("with one connection the identity node does all that it does", { timeout: 300_000 }, async () => {
	const url = await start(1);
	const all = await callers(url);
	const other = await person(url, "Other");
	const columns = all.filter(({ name }) => ["anyone", "user", "admin"].includes(name));
	const isAsked = (row: Route) => nodeOf(row.action.split(".")[0] as string) === "identity" && !TAKES_TWO.includes(idOf(row));
	for (const route of routes.filter(isAsked)) {
		for (const { object, statuses } of await rowsOf(url, route, columns, other))
			for (const status of statuses) assert.ok((status ?? 0) < 500, `${idOf(route)} ${object} answered ${statuses.join(", ")}`);
	}
	// What the matrix asks with nonsense, because somebody outside must help.
	const dataDir = settings(app.broker).DATA_DIR;
	const ana = await person(url, "Ana");
	const { code } = await mailTo(dataDir, ana.email);
	is(await http(url, "/api/auth/verify-email", { body: { email: ana.email, code } }), 200);
	const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
	const { recoveryCodes } = is(await ana.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200).body;
	const login = () => http(url, "/api/auth/login", { body: { email: ana.email, password: ana.password } });
	const { ticket } = is(await login(), 200).body;
	is(await http(url, "/api/auth/mfa/login", { body: { ticket, method: "recovery", code: recoveryCodes[0] } }), 200);
	const passkey = softPasskey(url);
	const options = is(await ana.post("/api/auth/mfa/passkeys/options"), 200).body;
	is(await ana.post("/api/auth/mfa/passkeys", { response: passkey.create(options), name: "Key" }), 201);
	const asked = is(await http(url, "/api/auth/passkeys/options", { body: {} }), 200).body;
	is(await http(url, "/api/auth/passkeys/login", { body: { response: passkey.get(asked) } }), 200);
	is(await ana.post("/api/auth/mfa/recovery-codes"), 200);
	is(await ana.post("/api/auth/change-password", { currentPassword: ana.password, newPassword: "four green bottles" }), 204);
});

test("with two connections many who come at once all come in", { timeout: 120_000 }, async () => {
	const url = await start(2);
	const people: Person[] = [];
	for (let i = 0; i < 8; i++) people.push(await person(url, `Person ${i}`));
	const visits = Array.from({ length: 48 }, async (_, i) => {
		const one = await signIn(url, { ...(people[i % people.length] as Person) });
		const { refreshToken } = one;
		const { tokens } = is(await http(url, "/api/auth/refresh", { body: { refreshToken } }), 200).body;
		is(await http(url, "/api/auth/me", { token: tokens.accessToken }), 200);
	});
	await Promise.all(visits);
});
