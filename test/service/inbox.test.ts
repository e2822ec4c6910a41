// The inbox engine: once, in order per aggregate, with back-off, and dead letters that hold back only their own.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, mock, test } from "node:test";
import pg from "pg";
import type { Consumer } from "../../mixins/facts/index.ts";
import type { DeadLetter } from "../../mixins/facts/inbox.ts";
import { deadLetters, forgetHandled, replayDeadLetters } from "../../mixins/facts/inbox.ts";
import type { Db } from "../../mixins/postgres.ts";
import { database, isUnavailable } from "../../mixins/postgres.ts";
import type { FreshDatabase } from "../support/database.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import {
	carry,
	forgetEverything,
	HEARER,
	hearing,
	makeEffects,
	noted,
	numberOf,
	startProcess,
	TELLER,
	tell,
	upTo,
	work,
} from "../support/facts.ts";

const NOON = Date.parse("2026-03-01T12:00:00Z");

let fresh: FreshDatabase;
let db: Db;

before(async () => {
	fresh = await testDatabase([TELLER, HEARER]);
	db = database(HEARER);
	await makeEffects(db);
});
after(() => fresh.close());
beforeEach(async () => {
	mock.timers.reset();
	mock.timers.enable({ apis: ["Date"], now: NOON });
	await forgetEverything();
});

/** Turns the clock. */
const later = (ms: number) => mock.timers.setTime(Date.now() + ms);

/** Brings facts into the inbox of one consumer. */
async function given(name: string, consumer: Consumer, ...groups: [group: string, from: number, to?: number][]): Promise<void> {
	for (const [group, from, to] of groups) await tell(group, from, to);
	await carry({ [name]: consumer });
}

/** Works until nothing is ready now. */
async function workAll(name: string, consumer: Consumer): Promise<number | null> {
	for (;;) {
		const { next } = await work(name, consumer);
		if (next !== 0) return next;
	}
}

const dead = async () => (await deadLetters(db)).map(({ aggregate, tries }: DeadLetter) => ({ aggregate, tries }));

/** A consumer that fails at these facts, such as "a 2", until they are taken from the set. */
function failing(name: string, at: Set<string>, options: Partial<Consumer> = {}): Consumer {
	return hearing(name, {
		backoff: 1_000,
		...options,
		before: (facts) => {
			const bad = facts.find((fact) => at.has(`${fact.aggregate} ${numberOf(fact)}`));
			if (bad) throw new Error(`cannot take ${bad.aggregate} ${numberOf(bad)}`);
		},
	});
}

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
		const other = new pg.Client({ connectionString: fresh.urlFor(HEARER) });
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

describe("dead letters", () => {
	/** Works until the failing facts have had all their tries. */
	async function untilDead(name: string, consumer: Consumer): Promise<void> {
		for (let next = await workAll(name, consumer); next !== null; next = await workAll(name, consumer)) later(next);
	}

	test("after the last try a fact is given up, with its cause, for operators to see", async () => {
		const ears = failing("ears", new Set(["a 1"]), { maxTries: 3 });
		await given("ears", ears, ["a", 1]);
		await untilDead("ears", ears);
		const [letter, ...more] = await deadLetters(db);
		assert.equal(more.length, 0);
		assert.partialDeepStrictEqual(letter, { consumer: "ears", type: "groups.message.posted", aggregate: "a", tries: 3 });
		assert.match(letter?.cause ?? "", /cannot take a 1/);
		assert.equal(letter?.deadAt, new Date(NOON + 3_000).toISOString());
	});

	test("a thrown thing that is no error is a cause too", async () => {
		const ears = hearing("ears", {
			maxTries: 1,
			before: () => {
				throw "just a text";
			},
		});
		await given("ears", ears, ["a", 1]);
		await workAll("ears", ears);
		assert.equal((await deadLetters(db))[0]?.cause, "just a text");
	});

	test("holds back its own aggregate, now and later, and no other", async () => {
		const ears = failing("ears", new Set(["a 1"]), { maxTries: 2 });
		await given("ears", ears, ["a", 1, 3], ["b", 1]);
		await untilDead("ears", ears);
		later(3_600_000);
		await given("ears", ears, ["a", 4], ["b", 2]);
		assert.equal(await workAll("ears", ears), null);
		assert.deepEqual(await noted("ears", "a"), []);
		assert.deepEqual(await noted("ears", "b"), [1, 2]);
		assert.deepEqual(await dead(), [{ aggregate: "a", tries: 2 }]);
	});

	test("does not concern other consumers of the same fact", async () => {
		const well = hearing("well");
		const ill = failing("ill", new Set(["a 1"]), { maxTries: 2 });
		await tell("a", 1, 3);
		await carry({ well, ill });
		await untilDead("ill", ill);
		await workAll("well", well);
		assert.deepEqual(await noted("well", "a"), [1, 2, 3]);
		assert.deepEqual(await noted("ill", "a"), []);
	});

	test("replayed, it is handled, and then what waited behind it, in order", async () => {
		const bad = new Set(["a 1"]);
		const ears = failing("ears", bad, { maxTries: 2 });
		await given("ears", ears, ["a", 1, 3]);
		await untilDead("ears", ears);
		bad.clear();
		assert.equal(await replayDeadLetters(db), 1);
		await workAll("ears", ears);
		assert.deepEqual(await noted("ears", "a"), [1, 2, 3]);
		assert.deepEqual(await dead(), []);
	});

	test("one can be replayed alone", async () => {
		const bad = new Set(["a 1", "b 1"]);
		const ears = failing("ears", bad, { maxTries: 1 });
		await given("ears", ears, ["a", 1], ["b", 1]);
		await untilDead("ears", ears);
		bad.clear();
		const letter = (await deadLetters(db)).find(({ aggregate }) => aggregate === "b");
		assert.equal(await replayDeadLetters(db, letter?.factId), 1);
		await workAll("ears", ears);
		assert.deepEqual(await noted("ears", "b"), [1]);
		assert.deepEqual(await dead(), [{ aggregate: "a", tries: 1 }]);
	});

	test("replayed and still failing, it has all its tries again", async () => {
		const ears = failing("ears", new Set(["a 1"]), { maxTries: 3 });
		await given("ears", ears, ["a", 1]);
		await untilDead("ears", ears);
		await replayDeadLetters(db);
		await untilDead("ears", ears);
		assert.deepEqual(await dead(), [{ aggregate: "a", tries: 3 }]);
	});

	test("replaying wakes the running engine", async () => {
		mock.timers.reset();
		const bad = new Set(["a 1"]);
		const broker = await startProcess({ ears: failing("ears", bad, { maxTries: 1 }) });
		try {
			await tell("a", 1, 2);
			await eventually(async () => assert.deepEqual(await dead(), [{ aggregate: "a", tries: 1 }]));
			bad.clear();
			await replayDeadLetters(db);
			await eventually(async () => assert.deepEqual(await noted("ears", "a"), [1, 2]));
		} finally {
			await broker.stop();
		}
	});
});

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
