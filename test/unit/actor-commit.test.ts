// Mailboxes: what is stored together, and what apart.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Store, actorsOver, alone, gate, say } from "../support/actor-store.ts";

let store: Store;
beforeEach(() => {
	store = new Store();
});
const actorsOn = (options?: Parameters<typeof actorsOver>[1]) => actorsOver(store, options);

describe("group commit", () => {
	test("what waits for one key is one commit", async () => {
		const actors = actorsOn();
		await Promise.all(Array.from({ length: 50 }, (_, i) => actors.submit("a", say(`word ${i}`))));
		assert.equal(store.commits.length, 1);
		assert.equal(store.log("a").length, 50);
	});

	test("what waits for all keys is one commit", async () => {
		const actors = actorsOn();
		await Promise.all(Array.from({ length: 50 }, (_, i) => actors.submit(`key ${i % 10}`, say(`word ${i}`))));
		assert.equal(store.commits.length, 1);
		assert.equal(store.commits[0]?.length, 10);
	});

	test("a command sees how much waits ahead of it in the same commit", async () => {
		const actors = actorsOn();
		const aheads: number[] = [];
		const watch: typeof say = (...words) => ({
			decide: (_state, ahead) => {
				aheads.push(ahead);
				return { events: words, answer: (seqs) => seqs };
			},
		});
		await Promise.all([actors.submit("a", watch("one")), actors.submit("a", watch("two", "three")), actors.submit("a", watch("four"))]);
		assert.deepEqual(aheads, [0, 1, 3]);
	});

	test("a command that changes the state is decided on nothing but stored state", async () => {
		const actors = actorsOn();
		const answers = await Promise.all([
			actors.submit("a", say("one")),
			actors.submit("a", alone("two")),
			actors.submit("a", say("three")),
			actors.submit("a", say("four")),
		]);
		assert.deepEqual(answers, [[1], [2], [3], [4]]);
		assert.deepEqual(
			store.commits.map((batch) => batch[0]?.decisions.map((decision) => decision.events)),
			[[["one"]], [["two"]], [["three"], ["four"]]],
		);
	});

	test("while lanes are taken, what arrives gathers for the next commit", async () => {
		const actors = actorsOn({ lanes: 1 });
		const { opened, open } = gate();
		store.before = () => opened;
		const first = actors.submit("a", say("one"));
		await turn();
		const rest = Array.from({ length: 20 }, (_, i) => actors.submit(`key ${i}`, say("one")));
		await turn();
		assert.equal(store.commits.length, 1);
		open();
		await Promise.all([first, ...rest]);
		assert.equal(store.commits.length, 2);
	});
});

describe("a commit in portions", () => {
	test("stores each on its own: what one cannot store is refused alone, and tried once", async () => {
		const actors = actorsOn({ portions: (batch) => batch.map((entry) => [entry]) });
		store.before = ([entry]) => {
			if (entry?.key === "b") throw new Error("not this one");
		};
		const answers = await Promise.allSettled(["a", "b", "c"].map((key) => actors.submit(key, say(`to ${key}`))));
		assert.deepEqual(
			answers.map(({ status }) => status),
			["fulfilled", "rejected", "fulfilled"],
		);
		assert.deepEqual(
			store.commits.map((batch) => batch.map(({ key }) => key)),
			[["a"], ["b"], ["c"]],
		);
		assert.deepEqual([store.log("a"), store.log("b"), store.log("c")], [["to a"], [], ["to c"]]);
	});
});
