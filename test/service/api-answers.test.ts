// The HTTP door in front of real nodes: what every answer has, what is not there, and health.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { nodeFolders } from "../../config/env.ts";
import { http, is, person, testApp } from "../support/kit.ts";

const app = await testApp();
const [ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);

const group = { name: "Menders", isPublic: false };
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
