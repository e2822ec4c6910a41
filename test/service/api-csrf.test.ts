// What a page of somebody else can have a browser do with its cookies, at every row of the routes' table that changes anything:
// nothing. The table is gone through, so that a new route is asked the day it is written.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { Route } from "../../services/api/route.ts";
import { routes } from "../../services/api/routes/index.ts";
import { problems } from "../../services/contracts/problems.ts";
import { Browser } from "../support/browser.ts";
import { official } from "../support/clients.ts";
import type { Fuzzed } from "../support/fuzz/cases.ts";
import { goodRequest } from "../support/fuzz/cases.ts";
import type { OpenApi, Operation } from "../support/fuzz/document.ts";
import { operationsOf, plainBy } from "../support/fuzz/document.ts";
import { http, is, testApp } from "../support/kit.ts";
import type { Reply } from "../support/kit.ts";
import { stored } from "../support/stored.ts";

const FRIEND = "https://friend.example";
const EVIL = "https://evil.example";
const app = await testApp({ CORS_ORIGINS: FRIEND });
const { url } = app;

const document: OpenApi = (await http(url, "/api/openapi.json")).body;
const operations = operationsOf(document);
const fuzzed: Fuzzed = { operations, plain: plainBy(document), ids: {}, accessToken: "" };

/** An admin's: whatever is refused is refused for what the page does not know. */
async function signedIn(): Promise<Browser> {
	const { email, password } = await official(app);
	const browser = new Browser(url);
	is(await browser.ask("POST", "/api/auth/login?cookie=true", { email, password }), 200);
	return browser;
}
const [ana, eve] = [await signedIn(), await signedIn()];

interface Change {
	name: string;
	row: Route;
	/** As the document asks for it, about things that are not there. */
	path: string;
	body: string | undefined;
}
const changes: Change[] = routes
	.filter(({ method }) => method !== "GET")
	.map((row) => {
		const name = `${row.method} ${row.path}`;
		const operation = operations.find(({ method, path }) => method === row.method && path === row.path.replace(/:(\w+)/g, "{$1}"));
		assert.ok(operation, name);
		const { path, body } = goodRequest(fuzzed, operation as Operation);
		// The refresh token is to come from its cookie.
		return { name, row, path, body: row.session === "renew" || (row.raw && !body) ? undefined : body };
	});
/** Rows that need no token take no cookie for one either, unless the page says that it knows the session. A refresh token is one. */
const needsToken = ({ row }: Change) => row.access !== "anyone" || row.session === "renew";

/** With all the cookies there are, also where a browser would leave some out. */
const cookiesOf = (browser: Browser) => browser.cookie("/api/auth/refresh");
const send = ({ row, path, body }: Change, headers: Record<string, string>, query = ""): Promise<Reply> =>
	http(url, `${path}${query}`, { method: row.method, body: body ?? (row.method === "DELETE" ? undefined : {}), headers });

/** Refused with 403; by the endpoints of OAuth in their words. */
function refused({ status, body }: Reply, code: "csrf" | "origin", { name, row }: Change): void {
	if (row.oauth) assert.deepEqual([status, body.error_description], [400, problems[code].detail], name);
	else assert.deepEqual([status, body.code], [403, code], name);
}

const NODES = ["identity", "groups", "gamification", "presence"];
const before = await stored(...NODES);

/** By what a page may have got hold of. */
const forged: Record<string, () => Record<string, string>> = {
	"another session's token": () => ({ Cookie: cookiesOf(ana), "X-CSRF-Token": eve.csrf }),
	"another session's token, put into the cookie as well": () => ({
		Cookie: cookiesOf(ana).replace(ana.csrf, eve.csrf),
		"X-CSRF-Token": eve.csrf,
	}),
	"the right token, without its cookie": () => ({
		Cookie: cookiesOf(ana).replace(/; reloop_csrf=[^;]*/, ""),
		"X-CSRF-Token": ana.csrf,
	}),
	"a token of nobody": () => ({ Cookie: cookiesOf(ana), "X-CSRF-Token": "x" }),
	"an empty token": () => ({ Cookie: cookiesOf(ana), "X-CSRF-Token": "" }),
};

describe("every route that changes anything", () => {
	test("is asked: those of sign-in too", () => {
		assert.ok(changes.length >= 70, `${changes.length} routes`);
		for (const path of ["federated", "oidc/exchange", "mfa/login", "passkeys/login", "step-up", "switch-profile", "refresh", "logout"])
			assert.ok(
				changes.some((change) => change.name === `POST /api/auth/${path}`),
				path,
			);
	});

	test("refuses cookies without the token of their session", async () => {
		for (const change of changes.filter(needsToken)) {
			refused(await send(change, { Cookie: cookiesOf(ana) }), "csrf", change);
		}
	});

	for (const [what, headers] of Object.entries(forged)) {
		test(`refuses cookies with ${what}`, async () => {
			for (const change of changes) {
				refused(await send(change, headers()), "csrf", change);
			}
		});
	}

	test("refuses the right token from a page of another origin", async () => {
		for (const Origin of [EVIL, "null", `${FRIEND}.evil.example`]) {
			for (const change of changes) {
				refused(await send(change, { Cookie: cookiesOf(ana), "X-CSRF-Token": ana.csrf, Origin }), "origin", change);
			}
		}
	});

	test("sets no cookies for a page of another origin: nobody is signed in as somebody else", async () => {
		for (const change of changes.filter(({ row }) => row.access === "anyone" && row.session)) {
			const reply = await send(change, { Origin: EVIL }, "?cookie=true");
			assert.deepEqual([reply.status, reply.body.code, reply.headers.getSetCookie()], [403, "origin", []], change.name);
		}
	});

	test("by then nothing was changed, whoever it was of", async () => assert.deepEqual(await stored(...NODES), before));

	test("takes cookies without the header for none where nobody needs a token", async () => {
		const open = changes.filter((change) => !needsToken(change));
		for (const change of open) {
			const [withCookies, without] = [await send(change, { Cookie: cookiesOf(ana) }), await send(change, {})];
			assert.equal(withCookies.status, without.status, change.name);
			assert.deepEqual(withCookies.headers.getSetCookie(), [], change.name);
			assert.notEqual(withCookies.body?.code, "csrf", change.name);
		}
		is(await ana.ask("GET", "/api/auth/me"), 200);
	});

	test("lets a page of ours pass, which knows the token", async () => {
		const mia = await signedIn();
		// Beyond the last ones there is no session left to ask with.
		const ordered = [...changes].sort((a, b) => Number(a.row.session === "end") - Number(b.row.session === "end"));
		for (const change of ordered.filter(({ row }) => row.path !== "/api/auth/me" || row.method !== "DELETE")) {
			const headers = { Cookie: cookiesOf(mia), "X-CSRF-Token": mia.csrf, Origin: FRIEND };
			const { body } = mia.take(await send(change, headers));
			const refusals = change.row.access === "anyone" ? ["csrf", "origin"] : ["csrf", "origin", "unauthenticated", "invalid-token"];
			assert.ok(!refusals.includes(body?.code), `${change.name}: ${JSON.stringify(body)}`);
		}
		is(await http(url, "/api/auth/me", { token: mia.token || randomUUID() }), 401, "invalid-token");
	});
});
