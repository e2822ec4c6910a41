// The inbox engine: what is forgotten.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { forgetHandled } from "../../mixins/facts/inbox.ts";
import { NOON, failing, given, inboxHouse, workAll } from "../support/inbox-house.ts";

const { db, dead } = await inboxHouse();

describe("housekeeping", () => {
	test("forgets what was handled long ago, and nothing that waits or is dead", async () => {
		const ears = failing("ears", new Set(["a 1"]), { maxTries: 1 });
		await given("ears", ears, ["a", 1, 2], ["b", 1, 2]);
		await workAll("ears", ears);
		await forgetHandled(db, new Date(NOON + 64 * 86_400_000));
		const count = async () => (await db.query("select 1 from inbox")).length;
		assert.equal(await count(), 4);
		await forgetHandled(db, new Date(NOON + 66 * 86_400_000));
		assert.equal(await count(), 2);
		assert.deepEqual(await dead(), [{ aggregate: "a", tries: 1 }]);
	});
});
