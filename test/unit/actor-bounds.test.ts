// Mailboxes: how much they take, and how they end.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { isProblem } from "../../services/contracts/errors.ts";
import { Store, actorsOver, alone, gate, say } from "../support/actor-store.ts";

let store: Store;
beforeEach(() => {
	store = new Store();
});
const actorsOn = (options?: Parameters<typeof actorsOver>[1]) => actorsOver(store, options);

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
