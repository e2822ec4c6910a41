// The inbox engine: how long what has failed waits, and what does not wait for it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isUnavailable } from "../../mixins/postgres.ts";
import { hearing, noted, work } from "../support/facts.ts";
import { failing, given, inboxHouse, later, workAll } from "../support/inbox-house.ts";

const { db } = await inboxHouse();

describe("back-off", () => {
	test("the pause doubles at each failure", async () => {
		const ears = failing("ears", new Set(["a 1"]));
		await given("ears", ears, ["a", 1]);
		for (const pause of [1_000, 2_000, 4_000, 8_000]) {
			assert.equal(await workAll("ears", ears), pause);
			later(pause - 1);
			assert.deepEqual((await work("ears", ears)).failed, [], "not due yet");
			later(1);
		}
	});

	test("the pause is a minute at most", async () => {
		const ears = failing("ears", new Set(["a 1"]), { backoff: 50_000, maxTries: 100 });
		await given("ears", ears, ["a", 1]);
		await workAll("ears", ears);
		later(50_000);
		assert.equal(await workAll("ears", ears), 60_000);
	});

	test("what is new is not kept waiting by what waits", async () => {
		const ears = failing("ears", new Set(["a 1"]));
		await given("ears", ears, ["a", 1]);
		await workAll("ears", ears);
		await given("ears", ears, ["b", 1]);
		assert.equal(await workAll("ears", ears), 1_000);
		assert.deepEqual(await noted("ears", "b"), [1]);
	});

	test("a connection that breaks in the middle of the work costs no try", async () => {
		const cut = hearing("ears", { before: async (_facts, tx) => void (await tx.query("select pg_terminate_backend(pg_backend_pid())")) });
		await given("ears", cut, ["a", 1, 2]);
		await assert.rejects(work("ears", cut), isUnavailable);
		const [tried] = await db.query<{ tries: number }>("select max(tries) as tries from inbox");
		assert.equal(tried?.tries, 0);
		const ears = hearing("ears");
		await workAll("ears", ears);
		assert.deepEqual(await noted("ears", "a"), [1, 2]);
	});
});
