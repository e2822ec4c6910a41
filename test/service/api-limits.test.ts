// Request limits at the door, small enough to be reached.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reply } from "../support/kit.ts";
import { http, testApp } from "../support/kit.ts";

const app = await testApp({ RATE_LIMIT_FACTOR: "0.05" });
test("beyond the limit the answer is 429 and says when to come back; other limits are untouched", async () => {
	const replies: Reply[] = [];
	for (let i = 0; i < 8; i++)
		replies.push(await http(app.url, "/api/auth/login", { body: { email: `${i}@example.org`, password: "wrong things" } }));
	const last = replies.at(-1) as Reply;
	assert.deepEqual([last.status, last.body.code, last.headers.get("content-type")], [429, "rate-limited", "application/problem+json"]);
	assert.ok(Number(last.headers.get("retry-after")) >= 1);
	assert.match(last.headers.get("ratelimit") ?? "", /^"auth";r=0;t=\d+$/);
	assert.equal(last.headers.get("ratelimit-policy"), '"auth";q=3;w=60');
	assert.equal((await http(app.url, "/live")).status, 200);
});

test("a forwarded address is no way around the limit where no proxy is trusted", async () => {
	const reply = await http(app.url, "/api/auth/login", {
		body: { email: "x@example.org", password: "wrong things" },
		headers: { "X-Forwarded-For": "203.0.113.77" },
	});
	assert.equal(reply.status, 429);
});
