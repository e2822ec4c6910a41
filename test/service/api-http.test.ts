// The HTTP door in front of real nodes: what every answer has, who gets in, what is refused and how.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { nodeFolders } from "../../config/env.ts";
import type { Reply } from "../support/kit.ts";
import { http, person, testApp } from "../support/kit.ts";

const app = await testApp({ CORS_ORIGINS: "https://reloop.example" });
const [ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);

const group = { name: "Menders", isPublic: false };
const is = (reply: Reply, status: number, code?: string) => {
	assert.deepEqual([reply.status, reply.body?.code], [status, code], JSON.stringify(reply.body));
	if (code) {
		assert.equal(reply.headers.get("content-type"), "application/problem+json");
		for (const field of ["type", "title", "status", "detail", "instance", "code", "requestId"]) assert.ok(field in reply.body, field);
	}
	return reply;
};
const without = ({ requestId: _id, instance: _path, ...rest }: Record<string, unknown>) => rest;

describe("every answer", () => {
	it("has its request id, given or made", async () => {
		for (const name of ["X-Request-Id", "X-Correlation-Id"])
			assert.equal((await http(app.url, "/live", { headers: { [name]: "trace-1.a_B" } })).headers.get("x-request-id"), "trace-1.a_B");
		for (const bad of ["a b", "x".repeat(129), "<script>", "a,b"]) {
			const id = (await http(app.url, "/live", { headers: { "X-Request-Id": bad } })).headers.get("x-request-id");
			assert.match(id ?? "", /^[0-9a-f-]{36}$/);
		}
		const refused = await http(app.url, "/api/nothing", { headers: { "X-Request-Id": "mine" } });
		assert.equal(refused.body.requestId, "mine");
		assert.equal(refused.body.instance, "/api/nothing");
	});

	it("has the headers of a server that serves no pages", async () => {
		for (const { headers } of [await http(app.url, "/live"), await http(app.url, "/nothing")]) {
			assert.equal(headers.get("x-content-type-options"), "nosniff");
			assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'.*frame-ancestors 'none'/);
			assert.equal(headers.get("referrer-policy"), "no-referrer");
			assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
			assert.equal(headers.get("cache-control"), "no-store");
			assert.equal(headers.get("strict-transport-security"), null);
			assert.equal(headers.get("x-powered-by"), null);
			assert.equal(headers.get("etag"), null);
		}
		assert.match((await http(app.url, "/.well-known/jwks.json")).headers.get("cache-control") ?? "", /public/);
	});

	it("says how much of its limit is left", async () => {
		const { headers } = await ana.get("/api/groups");
		assert.match(headers.get("ratelimit") ?? "", /^"read";r=\d+;t=\d+$/);
		assert.match(headers.get("ratelimit-policy") ?? "", /^"read";q=\d+;w=60$/);
	});

	it("to HEAD is that to GET without the body", async () => {
		const made = await ana.post("/api/groups", group);
		const path = `/api/groups/${made.body.id}`;
		const [get, head] = [await ana.get(path), await ana.send("HEAD", path)];
		assert.equal(head.status, 200);
		assert.equal(head.body, "");
		assert.equal(head.headers.get("content-length"), String(JSON.stringify(get.body).length));
		is(await http(app.url, path, { method: "HEAD" }), 401);
	});

	it("to a creation is 201 and says where", async () => {
		const made = await ana.post("/api/groups", group);
		assert.equal(made.status, 201);
		assert.equal(made.headers.get("location"), `/api/groups/${made.body.id}`);
		assert.equal((await ana.get(made.headers.get("location") as string)).status, 200);
	});
});

describe("what is not there", () => {
	it("is one 404: no path, an action inside, a node's own action, a stranger's private group, an id that is none", async () => {
		const { id } = (await ben.post("/api/groups", group)).body;
		const paths = [
			"/",
			"/api",
			"/api/nothing",
			"/api/$node/list",
			"/api/~node/actions",
			"/api/identity/revocations",
			"/api/auth/setRole",
			"/api/messages/openRoom",
			"/api/api/rest",
			"/list-aliases",
			"/api/list-aliases",
			"/api/groups//members",
			"/api/groups/1",
			`/api/groups/${id}`,
			`/api/groups/${randomUUID()}`,
			"/api/groups/%2e%2e",
			"/.git/config",
			"/socket.io.js",
		];
		const bodies = [];
		for (const path of paths) bodies.push(without(is(await ana.get(path), 404, "not-found").body));
		for (const body of bodies) assert.deepEqual(body, bodies[0]);
	});

	it("is never an action of moleculer-web itself", () => {
		const names = app.broker.registry.getActionList({ onlyLocal: true }).map(({ name }: { name: string }) => name);
		for (const name of ["api.listAliases", "api.addRoute", "api.removeRoute"]) assert.ok(!names.includes(name), name);
	});

	it("in method is 405 with what is allowed", async () => {
		assert.equal(is(await ana.send("PUT", "/api/groups"), 405, "method-not-allowed").headers.get("allow"), "GET, HEAD, POST, OPTIONS");
		assert.equal(is(await ana.send("DELETE", "/api/auth/login"), 405, "method-not-allowed").headers.get("allow"), "POST, OPTIONS");
	});
});

describe("who asks", () => {
	it("without a good token gets 401 and is told the scheme", async () => {
		assert.equal(is(await http(app.url, "/api/groups"), 401, "unauthenticated").headers.get("www-authenticate"), "Bearer");
		for (const value of [
			"Bearer",
			"Bearer ",
			"Bearer x y",
			"Basic YTpi",
			"Bearer a.b.c",
			`Bearer ${ana.accessToken}x`,
			`Bearer ${ana.accessToken.split(".").slice(0, 2).join(".")}.`,
			"bearer é".normalize("NFD").replace(/[^\x20-\x7e]/g, "?"),
			`Token ${ana.accessToken}`,
		]) {
			const reply = await http(app.url, "/api/groups", { headers: { Authorization: value } });
			is(reply, 401, "invalid-token");
			assert.match(reply.headers.get("www-authenticate") ?? "", /^Bearer/);
		}
	});

	it("needs no token where anyone may ask, and a bad one does no harm there", async () => {
		assert.equal((await http(app.url, "/live", { headers: { Authorization: "Bearer nonsense" } })).status, 200);
	});

	it("is asked before what they say is read", async () => {
		is(await http(app.url, "/api/groups", { body: "{", token: "x" }), 401, "invalid-token");
	});
});

describe("what is said", () => {
	const post = (body: unknown, headers: Record<string, string> = {}) => ana.post("/api/groups", body, headers);

	it("must be JSON in UTF-8, of a bearable size and depth, an object", async () => {
		is(await post("{"), 400, "malformed");
		is(await post([]), 422, "validation");
		is(await post("null"), 422, "validation");
		is(await post("[".repeat(40_000) + "]".repeat(40_000)), 422, "validation");
		is(await post({ ...group, description: "x".repeat(200_000) }), 413, "too-large");
		is(await post(group, { "Content-Type": "text/plain" }), 415, "unsupported-media-type");
		is(await post(group, { "Content-Type": "application/x-www-form-urlencoded" }), 415, "unsupported-media-type");
		is(await post(group, { "Content-Encoding": "gzip" }), 415, "unsupported-media-type");
	});

	it("must be what the contract says, and the answer names the fields and never a value", async () => {
		const reply = is(await post('{"name":"\\u0000sesame","isPublic":"yes","__proto__":{"admin":true},"constructor":1}'), 422, "validation");
		const paths = reply.body.errors.map(({ path }: { path: string }) => path);
		for (const path of ["name", "isPublic", "__proto__", "constructor"]) assert.ok(paths.includes(path), path);
		assert.ok(!JSON.stringify(reply.body).includes("sesame"));
	});

	it("by the query reaches neither path nor body, and nothing twice", async () => {
		const { id } = (await ana.post("/api/groups", group)).body;
		is(await ana.send("PATCH", `/api/groups/${id}?name=Other`, { name: "Mine" }), 422, "validation");
		is(await ana.get(`/api/groups/${id}?groupId=${randomUUID()}`), 422, "validation");
		is(await ana.get("/api/groups?limit=5&limit=6"), 422, "validation");
		is(await ana.get("/api/groups?limit=ten"), 422, "validation");
		is(await ana.get("/api/groups?limit=101"), 422, "validation");
		is(await ana.get("/api/groups?unknown=1"), 422, "validation");
		is(await ana.get("/api/groups?limit=%ff"), 400, "malformed");
		is(await ana.get("/api/groups?cursor=nonsense"), 400, "bad-cursor");
		assert.equal((await ana.get(`/api/presence?ids=${ana.profileId},${ben.profileId}`)).body.data.length, 2);
	});
});

describe("an Idempotency-Key", () => {
	it("gives the first answer again, to the byte, and says so", async () => {
		const headers = { "Idempotency-Key": `"${randomUUID()}"` };
		const [first, second] = [
			await ana.post("/api/groups", group, headers),
			await ana.post("/api/groups", { isPublic: false, name: "Menders" }, headers),
		];
		assert.deepEqual([first.status, second.status], [201, 201]);
		assert.equal(first.headers.get("idempotent-replayed"), null);
		assert.equal(second.headers.get("idempotent-replayed"), "true");
		assert.equal(JSON.stringify(second.body), JSON.stringify(first.body));
		assert.equal(second.headers.get("location"), first.headers.get("location"));
		is(await ana.post("/api/groups", { ...group, name: "Others" }, headers), 422, "idempotency-key-reused");
		const others = await ben.post("/api/groups", group, headers);
		assert.notEqual(others.body.id, first.body.id);
	});

	it("belongs to the thing asked for, too", async () => {
		const headers = { "Idempotency-Key": randomUUID() };
		const [one, two] = [
			(await ana.post("/api/groups", { ...group, isPublic: true })).body,
			(await ana.post("/api/groups", { ...group, isPublic: true })).body,
		];
		assert.equal((await ben.post(`/api/groups/${one.id}/join`, {}, headers)).status, 200);
		is(await ben.post(`/api/groups/${two.id}/join`, {}, headers), 422, "idempotency-key-reused");
	});

	it("that is malformed is 400", async () => {
		for (const key of ["a b", "x".repeat(256), '"', '""'])
			is(await ana.post("/api/groups", group, { "Idempotency-Key": key }), 400, "idempotency-key-malformed");
	});

	it("works without a token: the same account, the same tokens", async () => {
		const headers = { "Idempotency-Key": randomUUID() };
		const body = { email: `${randomUUID()}@example.org`, password: "circular things", displayName: "Kim" };
		const [first, second] = [
			await http(app.url, "/api/auth/register", { body, headers }),
			await http(app.url, "/api/auth/register", { body, headers }),
		];
		assert.deepEqual([first.status, second.status], [201, 201]);
		assert.equal(JSON.stringify(second.body), JSON.stringify(first.body));
		assert.equal(second.headers.get("idempotent-replayed"), "true");
	});
});

describe("a page of another origin", () => {
	const preflight = (origin: string, path = "/api/groups") =>
		http(app.url, path, {
			method: "OPTIONS",
			headers: { Origin: origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-evil" },
		});

	it("may read answers where the configuration names it, and ours always", async () => {
		for (const origin of ["https://reloop.example", app.url, app.url.replace("localhost", "127.0.0.1")]) {
			const reply = await preflight(origin);
			assert.equal(reply.status, 204);
			assert.equal(reply.headers.get("access-control-allow-origin"), origin);
			assert.equal(reply.headers.get("access-control-allow-methods"), "GET, HEAD, POST, OPTIONS");
			assert.doesNotMatch(reply.headers.get("access-control-allow-headers") ?? "", /evil/);
			const answer = await http(app.url, "/api/groups", { headers: { Origin: origin } });
			assert.equal(answer.headers.get("access-control-allow-origin"), origin);
			assert.equal(answer.headers.get("vary"), "Origin");
		}
	});

	it("may not, otherwise", async () => {
		for (const origin of ["https://evil.example", "null", "https://reloop.example.evil.example", "http://reloop.example"]) {
			for (const reply of [await preflight(origin), await http(app.url, "/live", { headers: { Origin: origin } })]) {
				assert.equal(reply.headers.get("access-control-allow-origin"), null);
				assert.equal(reply.headers.get("access-control-allow-methods"), null);
			}
		}
		is(await preflight("https://reloop.example", "/api/nothing"), 404, "not-found");
	});
});

describe("health", () => {
	it("is told to anyone, its details to operators", async () => {
		for (const node of nodeFolders()) {
			assert.deepEqual((await http(app.url, `/api/${node}/health`)).body, { status: "ok" });
			assert.deepEqual((await ana.get(`/api/${node}/health`)).body, { status: "ok" });
		}
		assert.deepEqual((await http(app.url, "/live")).body, { status: "ok" });
		const { status, body } = await http(app.url, "/ready");
		assert.deepEqual([status, body.status, body.checks.groups], [200, "ok", { status: "ok" }]);
	});
});
