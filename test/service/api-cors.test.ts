// The HTTP door in front of real nodes: pages of other origins.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { http, is, testApp } from "../support/kit.ts";

const app = await testApp({ CORS_ORIGINS: "https://reloop.example" });

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
