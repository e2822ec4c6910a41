// The HTTP door in front of real nodes: what an Idempotency-Key belongs to.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { http, is, person, testApp } from "../support/kit.ts";

const app = await testApp();
const [ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);

const group = { name: "Menders", isPublic: false };

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
