// The inbox engine: facts in portions, each once, in order per aggregate.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import pg from "pg";
import type { Consumer } from "../../mixins/facts/index.ts";
import { database } from "../../mixins/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { HEARER, TELLER, carry, hearing, noted, numberOf, upTo, work } from "../support/facts.ts";
import { failing, given, inboxHouse, later, workAll } from "../support/inbox-house.ts";

const { urlFor, db } = await inboxHouse();

describe("a portion", () => {
	test("is handled in one transaction, oldest first", async () => {
		const portions: number[][] = [];
		const ears = hearing("ears", { before: (facts) => void portions.push(facts.map(numberOf)) });
		await given("ears", ears, ["g", 1, 300]);
		assert.equal(await workAll("ears", ears), null);
		assert.deepEqual(portions, [upTo(300)]);
		assert.deepEqual(await noted("ears", "g"), upTo(300));
	});

	test("has a bound, and the rest comes at once", async () => {
		let portions = 0;
		const ears = hearing("ears", { before: () => void portions++ });
		await given("ears", ears, ["g", 1, 1_100]);
		assert.equal(await workAll("ears", ears), null);
		assert.equal(portions, 3);
		assert.deepEqual(await noted("ears", "g"), upTo(1_100));
	});

	test("of a crowd that comes at once into an inbox that was always empty is found in time", { timeout: 25_000 }, async () => {
		const crowd = hearing("crowd");
		await db.query("truncate inbox");
		await db.query("analyze inbox");
		// As often as PostgreSQL waits before it keeps a plan: one made for an empty table holds every row against every other.
		for (let n = 0; n < 10; n++) await workAll("crowd", crowd);
		await db.query(
			`insert into inbox (consumer, fact_id, type, version, aggregate, at, payload, received_at)
			select 'crowd', gen_random_uuid(), 'groups.message.posted', 1, 'g', now(), json_build_object('seq', n), now() from generate_series(1, 15000) as n`,
		);
		const { next } = await work("crowd", crowd);
		assert.equal(next, 0, "there is more");
		assert.deepEqual(await noted("crowd", "g"), upTo(500));
	});

	test("what was handled is not handled again, however often it is carried", async () => {
		const ears = hearing("ears");
		await given("ears", ears, ["g", 1, 3]);
		await workAll("ears", ears);
		await database(TELLER).query("update outbox set sent_at = null");
		await carry({ ears });
		await workAll("ears", ears);
		assert.deepEqual(await noted("ears", "g"), [1, 2, 3]);
	});

	test("one that fails is tried fact by fact, and only the guilty one waits", async () => {
		const ears = failing("ears", new Set(["b 1"]));
		await given("ears", ears, ["a", 1, 3], ["b", 1], ["c", 1, 3]);
		const { failed } = await work("ears", ears);
		assert.deepEqual(failed, [1]);
		assert.deepEqual(await noted("ears", "a"), [1, 2, 3]);
		assert.deepEqual(await noted("ears", "b"), []);
		assert.deepEqual(await noted("ears", "c"), [1, 2, 3]);
	});

	test("what a failing handler had written is undone", async () => {
		const ears: Consumer = {
			...hearing("ears"),
			async handle(facts, tx, tools) {
				await hearing("ears").handle(facts, tx, tools);
				throw new Error("too late");
			},
		};
		await given("ears", ears, ["g", 1, 2]);
		await work("ears", ears);
		assert.deepEqual(await noted("ears", "g"), []);
	});
});

describe("order", () => {
	test("what comes after a failing fact of the same aggregate waits for it, and nothing else does", async () => {
		const bad = new Set(["a 2"]);
		const ears = failing("ears", bad);
		await given("ears", ears, ["a", 1, 4], ["b", 1, 4]);
		await workAll("ears", ears);
		assert.deepEqual(await noted("ears", "a"), [1]);
		assert.deepEqual(await noted("ears", "b"), upTo(4));
		await given("ears", ears, ["a", 5], ["b", 5]);
		await workAll("ears", ears);
		assert.deepEqual(await noted("ears", "a"), [1]);
		assert.deepEqual(await noted("ears", "b"), upTo(5));
		bad.clear();
		later(1_000);
		await workAll("ears", ears);
		assert.deepEqual(await noted("ears", "a"), upTo(5));
	});

	test("two engines at once handle everything once, in order", async () => {
		const ears = hearing("ears");
		await given("ears", ears, ["a", 1, 400], ["b", 1, 400]);
		const engine = async () => {
			while ((await noted("ears", "b")).length < 400) await work("ears", ears);
		};
		await Promise.all([engine(), engine()]);
		assert.deepEqual(await noted("ears", "a"), upTo(400));
		assert.deepEqual(await noted("ears", "b"), upTo(400));
	});

	test("an engine that another one replaces in the middle of a failure counts no try", async () => {
		const ears = failing("ears", new Set(["a 1"]));
		await given("ears", ears, ["a", 1, 2], ["b", 1]);
		const other = new pg.Client({ connectionString: urlFor(HEARER) });
		await other.connect();
		let locked: Promise<unknown> | undefined;
		const replaced: Consumer = {
			...ears,
			async handle() {
				// Waits for the engine's lock, and gets it the moment the failed portion is rolled back.
				locked ??= other.query("select pg_advisory_lock(hashtextextended(current_schema() || 'ears', 1))");
				await eventually(async () => {
					const [waiting] = await db.query(
						"select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
					);
					assert.ok(waiting);
				});
				throw new Error("any failure");
			},
		};
		try {
			const { next, failed } = await work("ears", replaced);
			await locked;
			assert.deepEqual(failed, []);
			assert.ok(next !== null && next > 0, "comes again later");
		} finally {
			await other.end();
		}
		const [tried] = await db.query<{ tries: number }>("select max(tries) as tries from inbox");
		assert.equal(tried?.tries, 0);
	});
});
