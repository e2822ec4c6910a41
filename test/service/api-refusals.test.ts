// The HTTP door in front of real nodes: who gets in, and what may be said.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { http, is, person, testApp } from "../support/kit.ts";

const app = await testApp();
const [ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);

const group = { name: "Menders", isPublic: false };

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
		for (const cursor of ["nonsense", "", "%20", "x".repeat(600)]) is(await ana.get(`/api/groups?cursor=${cursor}`), 400, "bad-cursor");
		assert.equal((await ana.get(`/api/presence?ids=${ana.profileId},${ben.profileId}`)).body.data.length, 2);
	});
});
