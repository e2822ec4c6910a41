// A node that is down while somebody is erased, or asks for what is kept of them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { keeperNames } from "../../services/contracts/index.ts";
import { ended, fetchArchive, unzip } from "../support/archive.ts";
import { freshDatabase } from "../support/database.ts";
import { eventually, groupOf, http, is, person, startTestApp } from "../support/kit.ts";

const job = (url: string, { id, ticket }: { id: string; ticket: string }) => http(url, `/api/jobs/${id}?ticket=${ticket}`);

describe("a node that is down", () => {
	it("is waited for by an export, which has its part when it is there again", { timeout: 120_000 }, async (t) => {
		const fresh = await freshDatabase();
		const first = await startTestApp({ DATABASE_URL: fresh.ownerUrl });
		t.after(async () => {
			await first.stop();
			await fresh.close();
		});
		const ana = await person(first.url, "Ana");
		const groupId = await groupOf(ana);
		is(await ana.post(`/api/groups/${groupId}/messages`, { clientId: "1", kind: "text", content: "words" }), 201);
		await eventually(async () => assert.ok((await ana.get("/api/gamification/points/me")).body.xp > 0));
		const sleeping = first.broker.getLocalService("gamification");
		assert.ok(sleeping);
		await first.broker.destroyService(sleeping);
		const begun = is(await ana.post("/api/auth/me/export"), 202).body;
		const triesOf = async () =>
			(await database("identity").query<{ tries: number }>("select tries from work where id = $1", [begun.id]))[0]?.tries ?? 0;
		await eventually(async () => assert.ok((await triesOf()) >= 2, `tries: ${await triesOf()}`), 60_000);
		assert.equal((await ana.get(`/api/jobs/${begun.id}`)).body.state, "running");
		await first.stop();
		const second = await startTestApp({ DATABASE_URL: fresh.ownerUrl });
		try {
			const { tokens } = is(await http(second.url, "/api/auth/login", { body: { email: ana.email, password: ana.password } }), 200).body;
			// The back-off need not be waited for.
			await database("identity").query("update identity_jobs._private_jobs set run_at = now() where locked_at is null and attempts > 0");
			const { result } = await ended(() => http(second.url, `/api/jobs/${begun.id}`, { token: tokens.accessToken }));
			const { bytes } = await fetchArchive(second.url, result.url);
			const { "gamification.json": gamification } = await unzip(bytes);
			assert.ok(gamification.entries.length > 0);
		} finally {
			await second.stop();
		}
	});

	it("gives its receipt when it is there again, also after a restart of the process; until then the erasure runs", async () => {
		const fresh = await freshDatabase();
		const first = await startTestApp({ DATABASE_URL: fresh.ownerUrl });
		const ana = await person(first.url, "Ana");
		const groupId = await groupOf(ana);
		is(await ana.post(`/api/groups/${groupId}/messages`, { clientId: "1", kind: "text", content: "words" }), 201);
		await eventually(async () => assert.ok((await ana.get("/api/gamification/points/me")).body.xp > 0));
		const sleeping = first.broker.getLocalService("gamification");
		assert.ok(sleeping);
		await first.broker.destroyService(sleeping);
		const begun = is(await ana.send("DELETE", "/api/auth/me", { password: ana.password }), 202).body;
		await eventually(async () => {
			const { body } = await job(first.url, begun);
			assert.deepEqual([body.state, body.done, body.total], ["running", keeperNames.length - 1, keeperNames.length]);
			assert.equal(body.result, undefined);
		});
		await first.stop();
		const second = await startTestApp({ DATABASE_URL: fresh.ownerUrl });
		try {
			const { result } = await ended(() => job(second.url, begun));
			assert.deepEqual(Object.keys(result.receipts).sort(), [...keeperNames].sort());
			assert.deepEqual(await database("gamification").query("select 1 from entries where owner = $1", [ana.profileId]), []);
		} finally {
			await second.stop();
			await fresh.close();
		}
	});
});
