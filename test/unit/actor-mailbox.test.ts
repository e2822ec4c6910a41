// Mailboxes: commands of one key, one after another.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { isProblem } from "../../services/contracts/errors.ts";
import { Store, actorsOver, gate, say } from "../support/actor-store.ts";

let store: Store;
beforeEach(() => {
	store = new Store();
});
const actorsOn = (options?: Parameters<typeof actorsOver>[1]) => actorsOver(store, options);

describe("a mailbox", () => {
	test("numbers what it appends without a gap, in the order of the commands", async () => {
		const actors = actorsOn();
		const answers = await Promise.all([
			actors.submit("a", say("one")),
			actors.submit("a", say("two", "three")),
			actors.submit("a", say("four")),
		]);
		assert.deepEqual(answers, [[1], [2, 3], [4]]);
		assert.deepEqual(store.log("a"), ["one", "two", "three", "four"]);
	});

	test("goes on where the stored log ends", async () => {
		store.logs.set("a", ["old", "older"]);
		assert.deepEqual(await actorsOn().submit("a", say("new")), [3]);
	});

	test("decides nothing while a commit of its key is under way", async () => {
		const actors = actorsOn();
		const { opened, open } = gate();
		store.before = () => opened;
		const first = actors.submit("a", say("one"));
		await turn();
		let decided = false;
		const second = actors.submit("a", {
			decide: (state) => {
				decided = true;
				assert.equal(state.head, 1);
				return { events: ["two"], answer: (seqs) => seqs };
			},
		});
		await turn();
		await turn();
		assert.equal(decided, false);
		open();
		assert.deepEqual(await Promise.all([first, second]), [[1], [2]]);
	});

	test("does not keep another key waiting", async () => {
		const actors = actorsOn();
		const { opened, open } = gate();
		store.before = (batch) => (batch.some(({ key }) => key === "slow") ? opened : undefined);
		const slow = actors.submit("slow", say("one"));
		await turn();
		assert.deepEqual(await actors.submit("quick", say("one")), [1]);
		assert.deepEqual(store.log("slow"), []);
		open();
		assert.deepEqual(await slow, [1]);
	});

	test("answers only what is stored", async () => {
		const actors = actorsOn();
		const { opened, open } = gate();
		store.before = () => opened;
		let answered = false;
		const answer = actors.submit("a", say("one")).then(() => {
			answered = true;
		});
		await turn();
		await turn();
		assert.equal(answered, false);
		open();
		await answer;
		assert.deepEqual(store.log("a"), ["one"]);
	});

	test("a refused command is told why, and its neighbours go on", async () => {
		const actors = actorsOn();
		const [before, refused, after] = await Promise.allSettled([
			actors.submit("a", say("one")),
			actors.submit("a", {
				decide: () => {
					throw new Error("no");
				},
			}),
			actors.submit("a", say("two")),
		]);
		assert.deepEqual(before, { status: "fulfilled", value: [1] });
		assert.equal(refused.status, "rejected");
		assert.deepEqual(after, { status: "fulfilled", value: [2] });
	});

	test("a store that cannot be read refuses what waits, and the next command tries again", async () => {
		const actors = actorsOn({
			load: (key) => {
				if (store.loads.length > 0) return store.load(key);
				store.loads.push(key);
				throw new Error("the store is away");
			},
		});
		await assert.rejects(actors.submit("a", say("one")), /away/);
		assert.deepEqual(await actors.submit("a", say("two")), [1]);
	});

	test("what the world is told fails without harm to the callers", async () => {
		const heard: unknown[] = [];
		const actors = actorsOn({
			committed: () => {
				throw new Error("a listener failed");
			},
			onError: (error) => heard.push(error),
		});
		assert.deepEqual(await Promise.all([actors.submit("a", say("one")), actors.submit("b", say("one"))]), [[1], [1]]);
		assert.equal(heard.length, 2);
		assert.deepEqual(await actors.submit("a", say("two")), [2]);
	});
});

test("a command whose caller has given up is refused, not done", async () => {
	const actors = actorsOn();
	const held = gate();
	store.before = () => held.opened;
	const first = actors.submit("a", say("one"));
	await turn();
	const late = actors.submit("a", say("too late"), performance.now() - 1);
	const patient = actors.submit("a", say("two"), performance.now() + 3_600_000);
	held.open();
	await assert.rejects(late, (error) => isProblem(error, "unavailable"));
	assert.deepEqual([await first, await patient], [[1], [2]]);
	assert.deepEqual(store.log("a"), ["one", "two"]);
});
