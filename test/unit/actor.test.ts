// Mailboxes over a store that can be held, refused and written to by somebody else.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ActorsOptions, Command, Committed, Decision } from "../../mixins/actor.ts";
import { Actors } from "../../mixins/actor.ts";
import { isProblem } from "../../services/contracts/errors.ts";

interface Log {
	head: number;
}
type Words = Decision<string, unknown>;
type Batch = Committed<Log, Words>[];

class Fence extends Error {}

/** The logs as stored. A commit that would write a number twice is refused, and then nothing of it is stored. */
class Store {
	logs = new Map<string, string[]>();
	commits: Batch[] = [];
	loads: string[] = [];
	/** Called before a commit is stored: may wait, or throw. */
	before: (batch: Batch) => void | Promise<void> = () => {};

	log(key: string): string[] {
		return this.logs.get(key) ?? [];
	}

	async load(key: string): Promise<Log> {
		this.loads.push(key);
		return { head: this.log(key).length };
	}

	async commit(batch: Batch): Promise<void> {
		this.commits.push(batch);
		await this.before(batch);
		if (batch.some(({ key, first }) => first !== this.log(key).length + 1)) throw new Fence();
		for (const { key, decisions } of batch) this.logs.set(key, [...this.log(key), ...decisions.flatMap((decision) => decision.events)]);
	}
}

let store: Store;
beforeEach(() => {
	store = new Store();
});

function actorsOn(options: Partial<ActorsOptions<Log, Words>> = {}): Actors<Log, string, Words> {
	return new Actors<Log, string, Words>({
		load: (key) => store.load(key),
		head: (state) => state.head,
		commit: (batch) => store.commit(batch),
		committed: ({ state, decisions }) => ({ head: state.head + decisions.flatMap((decision) => decision.events).length }),
		isConflict: (error) => error instanceof Fence,
		...options,
	});
}

/** Appends words and answers the numbers they got. */
const say = (...words: string[]): Command<Log, string, number[], Words & Decision<string, number[]>> => ({
	decide: () => ({ events: words, answer: (seqs) => seqs }),
});
const alone = (...words: string[]) => ({ ...say(...words), alone: true });

/** A gate that commits wait at. */
function gate() {
	const { promise, resolve } = Promise.withResolvers<void>();
	return { opened: promise, open: resolve };
}

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

describe("bounds", () => {
	test("a full mailbox refuses with mailbox-full and when to come again, and other keys go on", async () => {
		const actors = actorsOn({ maxPerKey: 3 });
		const waiting = Array.from({ length: 3 }, () => actors.submit("a", say("word")));
		await assert.rejects(
			actors.submit("a", say("too much")),
			(error: unknown) => isProblem(error, "mailbox-full") && error.code === 503 && error.data.retryAfter === 1,
		);
		assert.deepEqual(await actors.submit("b", say("word")), [1]);
		assert.deepEqual(await Promise.all(waiting), [[1], [2], [3]]);
		assert.deepEqual(await actors.submit("a", say("later")), [4]);
	});

	test("all mailboxes together are bounded too", async () => {
		const actors = actorsOn({ maxWaiting: 3 });
		const waiting = ["a", "b", "c"].map((key) => actors.submit(key, say("word")));
		await assert.rejects(actors.submit("d", say("too much")), (error: unknown) => isProblem(error, "mailbox-full"));
		await Promise.all(waiting);
		assert.deepEqual(await actors.submit("d", say("later")), [1]);
	});

	test("refused and failed commands make room again", async () => {
		const actors = actorsOn({ maxWaiting: 2 });
		store.before = () => {
			throw new Error("cannot be stored");
		};
		for (let i = 0; i < 10; i++) await assert.rejects(actors.submit("a", say("word")), /cannot be stored/);
	});
});

describe("draining", () => {
	test("is done at once when nothing waits", async () => {
		await actorsOn().drained();
	});

	test("is done when everything taken is answered, and not before", async () => {
		const actors = actorsOn();
		const { opened, open } = gate();
		store.before = () => opened;
		let answered = 0;
		const commands = Array.from({ length: 10 }, (_, i) =>
			actors.submit(`key ${i % 3}`, i % 2 ? say("word") : alone("word")).then(() => answered++),
		);
		let drained = false;
		const draining = actors.drained().then(() => {
			drained = true;
		});
		await turn();
		await turn();
		assert.equal(drained, false);
		open();
		await draining;
		assert.equal(answered, 10);
		await Promise.all(commands);
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
