// The chain of a request with a row, step by step: on a real server, with an action that says what it was asked.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Context } from "moleculer";
import { makeDoor } from "../../mixins/door.ts";
import { makeLimiter } from "../../mixins/limits.ts";
import type { Exchange } from "../../services/api/answers.ts";
import { makeAnswers } from "../../services/api/answers.ts";
import { makeChain } from "../../services/api/chain.ts";
import { makeCookies } from "../../services/api/session-cookies.ts";
import { makeQuotas } from "../../services/api/quotas.ts";
import { makeRouter } from "../../services/api/router.ts";
import type { Route } from "../../services/api/route.ts";
import { problem } from "../../services/contracts/errors.ts";
import type { Meta, Principal } from "../../services/contracts/index.ts";
import { bool, object, text } from "../../services/contracts/schema.ts";
import { http } from "../support/client.ts";

const row = (method: string, path: string, over: Partial<Record<keyof Route, unknown>> = {}): Route =>
	({ method, path, action: "things.do", access: "signed-in", ...over }) as unknown as Route;
const table = [
	row("GET", "/mine"),
	row("GET", "/anyone", { access: "anyone" }),
	row("GET", "/ops", { access: "ops:read" }),
	row("GET", "/narrow", { narrow: true }),
	row("GET", "/health", { access: "anyone", details: "ops:read", down: 503 }),
	row("POST", "/make", { status: 201, location: "/made/{id}" }),
	row("POST", "/say", { status: 201, replay: true }),
	row("POST", "/pay", { idempotency: "required" }),
	row("DELETE", "/gone", { status: 204 }),
	row("GET", "/danger", { stepUp: true }),
	row("DELETE", "/secretly", { body: true }),
	row("POST", "/token", { access: "anyone", oauth: true }),
	row("GET", "/away", {
		access: "anyone",
		action: "things.flow",
		redirect: true,
		loose: true,
		cookie: { name: "crumb", param: "crumb", path: "/away", seconds: 60 },
	}),
	row("POST", "/hook", { access: "anyone", action: "things.hear", status: 204, raw: ["x-signature"] }),
	row("GET", "/few", { access: "anyone", limit: "auth" }),
];
const router = makeRouter(table, {
	"things.flow": {
		params: { a: text(0, 100), crumb: text(0, 100) },
		answer: object({ location: text(1, 99), crumb: text(0, 9) }),
		published: true,
	},
	"things.hear": { params: { body: text(0, 100), headers: object({}) }, answer: object({}), published: true },
	"things.do": { params: { a: text(0, 100), b: bool }, answer: object({ id: text(1, 9) }), published: true },
});

const principal = (scopes: string[]): Principal => ({
	accountId: "a",
	profileId: "p",
	displayName: "P",
	sessionId: "s",
	roles: ["user"],
	scopes,
});
const people: Record<string, Principal> = {
	user: principal(["self:read"]),
	operator: principal(["self:read", "ops:read"]),
	narrow: principal(["account:password"]),
	fresh: { ...principal(["self:read"]), authTime: Math.floor(Date.now() / 1000) - 290, acr: "1" },
	stale: { ...principal(["self:read"]), authTime: Math.floor(Date.now() / 1000) - 301, acr: "2" },
};

let asked: { params: unknown; meta: Meta }[] = [];
let answer: (meta: Meta) => unknown = () => ({});
const chain = makeChain({
	answers: makeAnswers({ https: true }),
	quotas: makeQuotas(0.05, (_name, quota) => makeLimiter(quota)),
	verify: async (token) => people[token] ?? Promise.reject(problem("invalid-token")),
	addressOf: () => "203.0.113.9",
	cookies: makeCookies({ secret: Buffer.alloc(32), secure: false, ttlRefresh: 60, isAllowed: () => false, home: "" }),
	secret: Buffer.alloc(32),
	https: true,
	home: "",
});
const door = makeDoor();
let url = "";

before(async () => {
	const answers = makeAnswers({ https: true });
	door.onRequest(async (req, res) => {
		const [path = "", query] = (req.url as string).split("?");
		const exchange: Exchange = { req, res, requestId: "r-1", path, query, extra: [], oauth: path === "/token", refusal: undefined };
		const meta: Meta = {};
		const call = async (_name: string, params: unknown) => {
			asked.push({ params, meta: { ...meta } });
			return answer(meta);
		};
		try {
			const found = router.find(req.method as string, path);
			assert.ok(found?.kind === "row");
			await chain({ meta, call } as unknown as Context, exchange, found.route, found.values);
		} catch (error) {
			answers.fail(exchange, error);
		}
	});
	url = `http://127.0.0.1:${await door.listen("127.0.0.1", 0)}`;
});
after(() => door.close(100));

const ask = async (path: string, options: Parameters<typeof http>[2] = {}, answering: typeof answer = () => ({})) => {
	asked = [];
	answer = answering;
	return http(url, path, { keyless: true, ...options });
};
const is = (reply: { status: number; body: { code?: string } }, status: number, code?: string) =>
	assert.deepEqual([reply.status, reply.body?.code], [status, code]);

describe("access", () => {
	it("is for everybody, for people with a token, or for those with the scope", async () => {
		is(await ask("/anyone"), 200);
		is(await ask("/anyone", { token: "nobody" }), 200);
		is(await ask("/mine"), 401, "unauthenticated");
		is(await ask("/mine", { token: "nobody" }), 401, "invalid-token");
		is(await ask("/mine", { token: "user" }), 200);
		is(await ask("/ops", { token: "user" }), 403, "forbidden");
		is(await ask("/ops", { token: "operator" }), 200);
		assert.deepEqual(asked[0]?.meta.principal, people.operator);
	});

	it("of a token for changing a password is to little else", async () => {
		is(await ask("/mine", { token: "narrow" }), 403, "password-change-required");
		is(await ask("/narrow", { token: "narrow" }), 200);
		is(await ask("/anyone", { token: "narrow" }), 200);
	});

	it("to what is dangerous is for who proved who they are five minutes ago at most, however well before", async () => {
		is(await ask("/danger", { token: "fresh" }), 200);
		is(await ask("/danger", { token: "stale" }), 403, "step-up-required");
		is(await ask("/danger", { token: "user" }), 403, "step-up-required");
		is(await ask("/danger"), 401, "unauthenticated");
		is(await ask("/mine", { token: "stale" }), 200);
	});

	it("is decided before the action is called", async () => {
		await ask("/make", { body: { a: "x" } });
		assert.deepEqual(asked, []);
	});
});

describe("the action", () => {
	it("gets what was said, who says it and from where", async () => {
		await ask("/make", { token: "user", body: { a: "x", b: true }, headers: { "User-Agent": "me/1.0" } });
		assert.deepEqual(asked, [
			{ params: { a: "x", b: true }, meta: { address: "203.0.113.9", userAgent: "me/1.0", principal: people.user } },
		]);
	});

	it("of a DELETE may have a body, where the row says so: then nothing comes from the URL", async () => {
		await ask("/secretly", { method: "DELETE", token: "user", body: { a: "x" } });
		assert.deepEqual(asked[0]?.params, { a: "x" });
		is(await ask("/secretly?a=x", { method: "DELETE", token: "user" }), 422, "validation");
		await ask("/gone?a=x", { method: "DELETE", token: "user" });
		assert.deepEqual(asked[0]?.params, { a: "x" });
	});

	it("gets the Idempotency-Key with whose and where it is, and a row may demand one", async () => {
		is(await ask("/pay", { token: "user", body: {} }), 400, "idempotency-key-missing");
		await ask("/pay", { token: "user", body: { a: "1", b: true }, headers: { "Idempotency-Key": '"k 1"' } });
		const first = asked[0]?.meta.idempotency;
		assert.deepEqual([first?.key, first?.scope], ["k 1", "p POST /pay"]);
		await ask("/pay", { token: "user", body: { b: true, a: "1" }, headers: { "Idempotency-Key": '"k 1"' } });
		assert.equal(asked[0]?.meta.idempotency?.hash, first?.hash);
		await ask("/token", { body: {}, headers: { "Idempotency-Key": "k" } });
		assert.equal(asked[0]?.meta.idempotency?.scope, "203.0.113.9 POST /token");
	});
});

describe("the answer", () => {
	it("has the row's status, a place where there is one, no body where there is none", async () => {
		const made = await ask("/make", { token: "user", body: {} }, () => ({ id: "i d" }));
		assert.deepEqual([made.status, made.headers.get("location"), made.body], [201, "/made/i%20d", { id: "i d" }]);
		const gone = await ask("/gone", { method: "DELETE", token: "user" });
		assert.deepEqual([gone.status, gone.body, gone.headers.get("content-type")], [204, "", null]);
		assert.match(made.headers.get("strict-transport-security") ?? "", /max-age/);
	});

	it("says of an older one that it is, and keeps its word to itself", async () => {
		const fresh = await ask("/say", { token: "user", body: {} }, () => ({ seq: 1, replayed: false }));
		assert.deepEqual([fresh.status, fresh.headers.get("idempotent-replayed"), fresh.body], [201, null, { seq: 1 }]);
		const old = await ask("/say", { token: "user", body: {} }, () => ({ seq: 1, replayed: true }));
		assert.deepEqual([old.status, old.headers.get("idempotent-replayed"), old.body], [200, "true", { seq: 1 }]);
		const kept = await ask("/make", { token: "user", body: {} }, (meta) => {
			meta.$replyReplayed = true;
			return { id: 1 };
		});
		assert.deepEqual([kept.status, kept.headers.get("idempotent-replayed")], [201, "true"]);
	});

	it("repeats a kept refusal with the request id of the first", async () => {
		const refused = await ask("/make", { token: "user", body: {} }, () => {
			throw problem("conflict", { keptRequestId: "r-0", why: "so" });
		});
		assert.deepEqual(
			[
				refused.status,
				refused.body.requestId,
				refused.body.why,
				"keptRequestId" in refused.body,
				refused.headers.get("idempotent-replayed"),
				refused.headers.get("x-request-id"),
			],
			[409, "r-0", "so", false, "true", "r-1"],
		);
	});

	it("of health shows details to operators only, and is 503 where it is down", async () => {
		const health = () => ({ status: "down", checks: { database: { status: "down" } } });
		const shown = await ask("/health", {}, health);
		assert.deepEqual([shown.status, shown.body], [503, { status: "down" }]);
		assert.deepEqual((await ask("/health", { token: "operator" }, health)).body, health());
	});

	it("to a token request is as RFC 6749 says", async () => {
		const form = { headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: "a=1&b=2" };
		await ask("/token", form);
		assert.deepEqual(asked[0]?.params, { a: "1", b: "2" });
		const refused = await ask("/token", form, () => {
			throw problem("invalid-credentials", { oauth: { error: "invalid_grant" } });
		});
		assert.deepEqual(
			[refused.status, refused.body.error, typeof refused.body.error_description, refused.headers.get("cache-control")],
			[401, "invalid_grant", "string", "no-store"],
		);
		assert.deepEqual((await ask("/token", { body: "{" })).body.error, "invalid_request");
		is(await ask("/token", form, () => Promise.reject(problem("unavailable"))), 503, "unavailable");
	});

	it("to what nobody foresaw is 500 without a word of it", async () => {
		const reply = await ask("/mine", { token: "user" }, () => {
			throw new Error("column secret does not exist");
		});
		is(reply, 500, "internal");
		assert.ok(!JSON.stringify(reply.body).includes("secret"));
	});
});

describe("a redirect and its cookie", () => {
	const crumbs = { location: "https://elsewhere.example/?a=1", crumb: "c-2" };
	const go = async (path: string, cookie?: string, answering: object = crumbs) => {
		asked = [];
		answer = () => answering;
		return fetch(new URL(path, url), { redirect: "manual", headers: cookie === undefined ? {} : { Cookie: cookie } });
	};
	const setTo = (reply: Response) => reply.headers.getSetCookie();

	it("sends the browser away, with a cookie for this path alone that no script and no other site's request carries", async () => {
		const reply = await go("/away");
		assert.deepEqual([reply.status, reply.headers.get("location"), await reply.text()], [302, crumbs.location, ""]);
		assert.deepEqual(setTo(reply), ["crumb=c-2; Path=/away; Max-Age=60; HttpOnly; SameSite=Lax; Secure"]);
		assert.deepEqual(setTo(await go("/away", undefined, { ...crumbs, crumb: "" })), [
			"crumb=; Path=/away; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
		]);
	});

	it("gives the action the cookie, and nothing where there are two of the name: one is not ours", async () => {
		const given = async (cookie?: string) => {
			await go("/away?crumb=fromQuery", cookie);
			return (asked[0]?.params as { crumb?: string } | undefined)?.crumb;
		};
		assert.equal(await given("a=b; crumb=c-1; xcrumb=d"), "c-1");
		for (const cookie of [undefined, "crumb=a; crumb=b", "xcrumb=a", "crumbs=a"]) assert.equal(await given(cookie), undefined);
	});

	it("lets through what others write into its query, once each", async () => {
		await go("/away?a=1&session_state=x&scope=y");
		assert.equal((asked[0]?.params as { a?: string } | undefined)?.a, "1");
		is(await ask("/away?a=1&a=2"), 422, "validation");
	});
});

describe("a raw body", () => {
	const hook = (body: string | Buffer, headers: Record<string, string> = {}) => {
		asked = [];
		answer = () => ({});
		return fetch(new URL("/hook", url), { method: "POST", body, headers });
	};

	it("comes to the byte, of whatever type, with the headers that the row names", async () => {
		for (const body of ["{ }\n", "\ufeff{}", "not json", ""]) {
			const reply = await hook(body, { "X-Signature": "s", "X-Other": "o", "Content-Type": "text/plain" });
			assert.equal(reply.status, 204);
			assert.deepEqual(asked[0]?.params, { body, headers: { "x-signature": "s" } });
		}
	});

	it("must be UTF-8, of a bounded length, and not compressed", async () => {
		assert.equal((await hook(Buffer.from([0xc3, 0x28]))).status, 400);
		assert.equal((await hook("x".repeat(200_000))).status, 413);
		assert.equal((await hook("x", { "Content-Encoding": "gzip" })).status, 415);
		assert.equal(asked.length, 0);
	});
});

describe("limits", () => {
	it("hold for one caller and one kind of request", async () => {
		const replies = [];
		for (let i = 0; i < 5; i++) replies.push(await ask("/few"));
		const last = replies.at(-1);
		assert.deepEqual([last?.status, last?.headers.get("retry-after")], [429, "20"]);
		assert.equal(asked.length, 0);
		is(await ask("/anyone"), 200);
	});

	it("count tokens that are not good, wherever they are shown", async () => {
		let refused = 0;
		for (let i = 0; i < 40 && refused === 0; i++) if ((await ask("/mine", { token: `guess-${i}` })).status === 429) refused = i;
		assert.ok(refused > 0 && refused <= 15, `refused after ${refused}`);
	});
});
