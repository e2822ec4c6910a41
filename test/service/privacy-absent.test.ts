// A node that is down while somebody is erased.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { keeperNames } from "../../services/contracts/index.ts";
import { ended } from "../support/archive.ts";
import { freshDatabase } from "../support/database.ts";
import { eventually, groupOf, http, is, person, startTestApp } from "../support/kit.ts";

const job = (url: string, { id, ticket }: { id: string; ticket: string }) => http(url, `/api/jobs/${id}?ticket=${ticket}`);

describe("a node that is down", () => {
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
