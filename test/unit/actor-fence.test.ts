// Mailboxes: a store that another has written, that refuses, or that does not answer.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Fence, Store, actorsOver, say } from "../support/actor-store.ts";

let store: Store;
beforeEach(() => {
	store = new Store();
});
const actorsOn = (options?: Parameters<typeof actorsOver>[1]) => actorsOver(store, options);

describe("the fence", () => {
	test("who lost it reloads and decides again", async () => {
		const actors = actorsOn();
		await actors.submit("a", say("mine"));
		store.logs.set("a", [...store.log("a"), "somebody else's"]);
		assert.deepEqual(await actors.submit("a", say("mine again")), [3]);
		assert.deepEqual(store.log("a"), ["mine", "somebody else's", "mine again"]);
	});

	test("everybody in the commit that lost it is stored once, in order", async () => {
		const actors = actorsOn();
		await Promise.all([actors.submit("a", say("a1")), actors.submit("b", say("b1"))]);
		store.logs.set("a", [...store.log("a"), "somebody else's"]);
		const answers = await Promise.all([actors.submit("a", say("a3")), actors.submit("a", say("a4")), actors.submit("b", say("b2"))]);
		assert.deepEqual(answers, [[3], [4], [2]]);
		assert.deepEqual(store.log("b"), ["b1", "b2"]);
		assert.deepEqual(store.log("a"), ["a1", "somebody else's", "a3", "a4"]);
	});

	test("a commit that is there already is answered as it was stored then", async () => {
		const actors = actorsOn({
			isConflict: (error) => error instanceof Error && error.message === "the same again",
			replay: async (_key, decision) => (decision.events[0] === "twice" ? "stored before" : undefined),
		});
		store.before = (batch) => {
			if (batch.some(({ decisions }) => decisions.some(({ events }) => events.includes("twice")))) throw new Error("the same again");
		};
		const answers = await Promise.all([actors.submit("a", say("one")), actors.submit("a", say("twice")), actors.submit("a", say("two"))]);
		assert.deepEqual(answers, [[1], "stored before", [2]]);
		assert.deepEqual(store.log("a"), ["one", "two"]);
	});

	test("who loses it again and again is refused in the end", async () => {
		const actors = actorsOn();
		store.before = () => {
			throw new Fence();
		};
		await assert.rejects(actors.submit("a", say("one")), Fence);
		assert.ok(store.commits.length > 1);
		store.before = () => {};
		assert.deepEqual(await actors.submit("a", say("two")), [1]);
	});
});

describe("a commit that fails", () => {
	test("takes nobody with it: one poisonous command among many is refused alone", async () => {
		const actors = actorsOn();
		store.before = (batch) => {
			if (batch.some(({ decisions }) => decisions.some(({ events }) => events.includes("poison")))) throw new Error("cannot be stored");
		};
		const commands = ["one", "two", "poison", "three"].map((word) => actors.submit("a", say(word)));
		const others = [actors.submit("b", say("b1")), actors.submit("c", say("c1"))];
		const settled = await Promise.allSettled(commands);
		assert.deepEqual(
			settled.map(({ status }) => status),
			["fulfilled", "fulfilled", "rejected", "fulfilled"],
		);
		assert.deepEqual(await Promise.all(others), [[1], [1]]);
		assert.deepEqual(store.log("a"), ["one", "two", "three"]);
	});

	test("drops the state when nobody knows whether it was stored", async () => {
		const actors = actorsOn();
		await actors.submit("a", say("one"));
		const commit = store.commit.bind(store);
		store.commit = async (batch) => {
			await commit(batch);
			throw new Error("the connection broke after the commit");
		};
		await assert.rejects(actors.submit("a", say("two")), /connection broke/);
		store.commit = commit;
		const loads = store.loads.length;
		assert.equal((await actors.read("a")).head, 2);
		assert.equal(store.loads.length, loads + 1);
		assert.deepEqual(await actors.submit("a", say("three")), [3]);
	});
});

describe("a store that does not answer", () => {
	test("has nothing tried again: whoever asked is told at once, and what it stored all the same is not refused as done already", async () => {
		class Away extends Error {}
		const actors = actorsOn({ isAway: (error) => error instanceof Away });
		const commit = store.commit.bind(store);
		let commits = 0;
		store.commit = async (batch) => {
			commits++;
			await commit(batch);
			throw new Away("the connection broke after the commit");
		};
		const asked = ["one", "two"].map((word) => actors.submit("a", say(word)));
		asked.push(actors.submit("b", say("b1")));
		for (const { status } of await Promise.allSettled(asked)) assert.equal(status, "rejected");
		assert.equal(commits, 1);
		store.commit = commit;
		assert.deepEqual(store.log("a"), ["one", "two"]);
		assert.deepEqual(await actors.submit("a", say("three")), [3]);
	});
});
