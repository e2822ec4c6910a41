// Terms of service: drafts nobody sees, versions that stay, and who is yet to accept them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { official } from "../support/clients.ts";
import type { Person } from "../support/kit.ts";
import { http, is, person, testApp } from "../support/kit.ts";

const app = await testApp();
const admin = await official(app);
const current = (language = "") => http(app.url, `/api/auth/tos/current${language && `?language=${language}`}`);
const inWords = (content: string) => ({ en: { title: "Terms", content }, pt: { title: "Termos", content: `${content} (pt)` } });
let versions = 0;
const draft = async (over: object = {}) =>
	is(await admin.post("/api/admin/tos", { version: `v${++versions}`, texts: inWords("Be kind."), ...over }), 201).body;
const publish = async (over: object = {}) => is(await admin.post(`/api/admin/tos/${(await draft(over)).id}/publish`), 200).body;
const stateOf = async (who: Person) => (await who.get("/api/auth/me")).body.tos;

test("before anything is published there is nothing to read or accept, and nobody must", async () => {
	const ana = await person(app.url, "Ana");
	is(await current(), 404, "not-found");
	is(await ana.post("/api/auth/tos/accept"), 404, "not-found");
	assert.deepEqual(await stateOf(ana), { required: false, currentId: null });
	await draft();
	is(await current(), 404, "not-found");
});

describe("a version", () => {
	test("is read by anyone once it is published, in a language or in English", async () => {
		const { id, version, publishedAt } = await publish();
		assert.deepEqual(is(await current(), 200).body, { id, version, language: "en", title: "Terms", content: "Be kind.", publishedAt });
		for (const [asked, language] of [
			["pt", "pt"],
			["pt-BR", "pt"],
			["PT", "pt"],
			["ar", "en"],
			["zz", "en"],
		] as const)
			assert.equal((await current(asked)).body.language, language, asked);
		await publish({ texts: { ku: { title: "Merc", content: "…" } } });
		assert.equal((await current("pt")).body.language, "ku", "the first there is, where there is no English");
	});

	test("can be changed and thrown away as a draft, and never once it is published", async () => {
		const one = await draft();
		const changed = is(await admin.send("PATCH", `/api/admin/tos/${one.id}`, { texts: { en: { title: "T", content: "C" } } }), 200).body;
		assert.deepEqual([changed.texts, changed.version, changed.state], [{ en: { title: "T", content: "C" } }, one.version, "draft"]);
		is(await admin.post(`/api/admin/tos/${one.id}/publish`), 200);
		is(await admin.post(`/api/admin/tos/${one.id}/publish`), 409, "wrong-state");
		is(await admin.send("PATCH", `/api/admin/tos/${one.id}`, { version: "other" }), 409, "wrong-state");
		is(await admin.send("DELETE", `/api/admin/tos/${one.id}`), 409, "wrong-state");
		await assert.rejects(database("identity").query("update terms set texts = '{}' where id = $1", [one.id]), /kept as they are/);
		const two = await draft();
		is(await admin.send("DELETE", `/api/admin/tos/${two.id}`), 204);
		is(await admin.get(`/api/admin/tos/${two.id}`), 404, "not-found");
		assert.deepEqual(is(await admin.get(`/api/admin/tos/${one.id}`), 200).body.texts, changed.texts);
	});

	test("needs a name of its own and words in one language at least", async () => {
		const { version } = await draft();
		is(await admin.post("/api/admin/tos", { version, texts: inWords("x") }), 409, "conflict");
		for (const body of [
			{ version: "w", texts: {} },
			{ version: "w", texts: { xx: { title: "T", content: "C" } } },
			{ version: "w" },
			{ texts: inWords("x") },
		])
			is(await admin.post("/api/admin/tos", body), 422, "validation");
	});

	test("is written by those with the scope alone", async () => {
		const ana = await person(app.url, "Ana");
		is(await ana.get("/api/admin/tos"), 403, "forbidden");
		is(await ana.post("/api/admin/tos", { version: "v", texts: inWords("x") }), 403, "forbidden");
		const listed = is(await admin.get("/api/admin/tos?limit=1"), 200).body;
		assert.equal(listed.data.length, 1);
		assert.ok(listed.nextCursor);
	});
});

describe("acceptance", () => {
	test("is kept with time and version and in the audit; the next version asks again, and blocks nothing meanwhile", async () => {
		const first = await publish();
		const ana = await person(app.url, "Ana");
		assert.deepEqual(await stateOf(ana), { required: true, currentId: first.id });
		is(await ana.post("/api/groups", { name: "Menders", isPublic: true }), 201);
		const accepted = is(await ana.post("/api/auth/tos/accept", { id: first.id }), 200).body;
		assert.deepEqual([accepted.id, accepted.version], [first.id, first.version]);
		assert.deepEqual(is(await ana.post("/api/auth/tos/accept"), 200).body, accepted, "again: the first acceptance");
		assert.deepEqual(await stateOf(ana), { required: false, currentId: first.id });
		const entries = await database("identity").query("select target, detail from audit where actor = $1 and action = 'terms.accept'", [
			ana.accountId,
		]);
		assert.deepEqual(entries, [{ target: first.id, detail: { version: first.version } }]);

		const second = await publish();
		assert.deepEqual(await stateOf(ana), { required: true, currentId: second.id });
		const stale = is(await ana.post("/api/auth/tos/accept", { id: first.id }), 409, "conflict");
		assert.equal(stale.body.currentId, second.id);
		is(await ana.post("/api/auth/tos/accept", {}), 200);
		assert.deepEqual(await stateOf(ana), { required: false, currentId: second.id });
	});

	test("of an earlier version holds on where only words have changed", async () => {
		await publish();
		const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
		is(await ana.post("/api/auth/tos/accept"), 200);
		const { id } = await publish({ requiresAcceptance: false });
		assert.deepEqual(await stateOf(ana), { required: false, currentId: id });
		assert.deepEqual(await stateOf(ben), { required: true, currentId: id });
	});
});
