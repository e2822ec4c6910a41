// Mailboxes: what they keep in memory.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Store, actorsOver, gate, say } from "../support/actor-store.ts";

let store: Store;
beforeEach(() => {
	store = new Store();
});
const actorsOn = (options?: Parameters<typeof actorsOver>[1]) => actorsOver(store, options);

describe("memory", () => {
	test("a state is read from the store once, for as long as it is kept", async () => {
		const actors = actorsOn();
		for (let i = 0; i < 5; i++) await actors.submit("a", say("word"));
		await actors.read("a");
		assert.deepEqual(store.loads, ["a"]);
	});

	test("what is forgotten is read again", async () => {
		const actors = actorsOn();
		await actors.submit("a", say("one"));
		store.logs.set("a", [...store.log("a"), "somebody else's"]);
		actors.forget("a");
		assert.equal((await actors.read("a")).head, 2);
	});

	test("what is forgotten during a commit is read again after it", async () => {
		const actors = actorsOn();
		const { opened, open } = gate();
		store.before = () => opened;
		const first = actors.submit("a", say("one"));
		await turn();
		actors.forget("a");
		open();
		await first;
		store.logs.set("a", [...store.log("a"), "somebody else's"]);
		await turn();
		assert.equal((await actors.read("a")).head, 2);
	});

	test("the least recently used actors make room for others", async () => {
		const actors = actorsOn({ maxActors: 2 });
		for (const key of ["a", "b", "a", "c", "a", "b"]) await actors.submit(key, say("word"));
		assert.deepEqual(store.loads, ["a", "b", "c", "b"]);
	});

	test("a read that began before a commit does not bring the state of then back", async () => {
		const { opened, open } = gate();
		const actors = actorsOn({
			load: async (key) => {
				const state = await store.load(key);
				if (store.loads.length === 1) await opened;
				return state;
			},
			// Forgets the actor after each commit, as one whose thing was deleted does.
			committed: () => null,
		});
		const reading = actors.read("a");
		await actors.submit("a", say("one"));
		open();
		assert.equal((await reading).head, 1);
		assert.equal((await actors.read("a")).head, 1);
	});
});

describe("a mailbox whose key another process may write", () => {
	test("begins each command and each read with the store, and keeps nothing", async () => {
		let mine = false;
		const actors = actorsOn({ keeps: () => mine });
		await actors.submit("a", say("one"));
		store.logs.set("a", ["one", "by another"]);
		assert.deepEqual(await actors.read("a"), { head: 2 });
		assert.deepEqual(await actors.submit("a", say("three")), [3]);
		assert.deepEqual(store.loads, ["a", "a", "a"]);
		await turn();
		mine = true;
		assert.deepEqual(await actors.submit("a", say("four")), [4]);
		assert.deepEqual(await actors.read("a"), { head: 4 });
		assert.equal(store.loads.length, 4, "what is ours is kept");
	});

	test("forgets what it kept when it is told to, and the others go on", async () => {
		const actors = actorsOn();
		await Promise.all([actors.submit("a", say("one")), actors.submit("b", say("one"))]);
		await turn();
		store.logs.set("a", ["one", "by another"]);
		actors.forgetAll((key) => key === "a");
		assert.deepEqual([await actors.read("a"), await actors.read("b")], [{ head: 2 }, { head: 1 }]);
		assert.deepEqual(store.loads, ["a", "b", "a"]);
	});
});
