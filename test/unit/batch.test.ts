// Many small questions at once as few large ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { batched } from "../../mixins/batch.ts";

test("what is asked while a question is under way goes out together when it is answered", async () => {
	const questions: string[][] = [];
	const gates: (() => void)[] = [];
	const ask = batched(async (keys) => {
		questions.push(keys);
		await new Promise<void>((resolve) => gates.push(resolve));
		return new Map(keys.map((key) => [key, key.toUpperCase()]));
	});
	const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
	const first = [ask("a"), ask("b")];
	await turn();
	const second = [ask("c"), ask("a"), ask("c")];
	await turn();
	assert.deepEqual(questions, [["a", "b"]]);
	gates.shift()?.();
	assert.deepEqual(await Promise.all(first), ["A", "B"]);
	await turn();
	assert.deepEqual(questions, [
		["a", "b"],
		["c", "a"],
	]);
	gates.shift()?.();
	assert.deepEqual(await Promise.all(second), ["C", "A", "C"]);
});

test("large crowds are asked for in portions; an unknown key is undefined; a failure is everybody's of its portion, and no more", async () => {
	let fail = true;
	const sizes: number[] = [];
	const ask = batched(async (keys) => {
		sizes.push(keys.length);
		if (fail) {
			fail = false;
			throw new Error("away");
		}
		return new Map([["k3", 3]]);
	}, 2);
	const answers = await Promise.allSettled(["k1", "k2", "k3", "k4", "k5"].map(ask));
	assert.deepEqual(sizes, [2, 2, 1]);
	assert.deepEqual(
		answers.map((answer) => (answer.status === "fulfilled" ? answer.value : "failed")),
		["failed", "failed", 3, undefined, undefined],
	);
	assert.equal(await ask("k3"), 3);
});
