// The inbox engine: facts that are given up, and their other life.
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import type { Consumer } from "../../mixins/facts/index.ts";
import { deadLetters, replayDeadLetters } from "../../mixins/facts/inbox.ts";
import { eventually } from "../support/eventually.ts";
import { carry, hearing, noted, startProcess, tell } from "../support/facts.ts";
import { NOON, failing, given, inboxHouse, later, workAll } from "../support/inbox-house.ts";

const { db, dead } = await inboxHouse();

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
