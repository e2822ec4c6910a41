// Who is apart from whom, as a door knows it: asked for at connect, kept up by signals, asked again where one may be lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceBroker } from "moleculer";
import { Apart } from "../../services/socket/apart.ts";
import { eventually } from "../support/eventually.ts";

/** A groups node that answers from `blocked`, when `go` lets it; and how often it was asked. */
async function house() {
	const broker = new ServiceBroker({ logger: false });
	const state = { blocked: new Map<string, string[]>(), asked: [] as string[][], fails: false, go: Promise.resolve() };
	broker.createService({
		name: "blocks",
		actions: {
			async apart({ params: { profileIds } }: { params: { profileIds: string[] } }) {
				state.asked.push(profileIds);
				const answer = profileIds.map((id) => state.blocked.get(id) ?? []);
				await state.go;
				if (state.fails) throw new Error("away");
				return { apart: answer };
			},
		},
	});
	await broker.start();
	return { broker, state, apart: new Apart(broker) };
}

test("nothing passes until it is known; those who connect at once are asked for at once", async () => {
	const { broker, state, apart } = await house();
	state.blocked.set("ana", ["ben"]);
	for (const id of ["ana", "cem"]) apart.add(id);
	assert.ok(apart.has("ana", "cem"));
	await Promise.all([apart.known("ana"), apart.known("cem")]);
	assert.deepEqual(state.asked, [["ana", "cem"]]);
	assert.deepEqual(
		[apart.has("ana", "ben"), apart.has("ana", "cem"), apart.has("cem", "ben"), apart.has("ana", "ana")],
		[true, false, false, false],
	);
	apart.stop();
	await broker.stop();
});

test("what is said while it is asked for counts, and what was not heard is found out", async () => {
	const { broker, state, apart } = await house();
	apart.add("ana");
	const { promise, resolve } = Promise.withResolvers<void>();
	state.go = promise;
	await eventually(() => assert.equal(state.asked.length, 1));
	state.blocked.set("ana", ["ben"]);
	apart.heard(["ben", "ana"], true);
	resolve();
	await apart.known("ana");
	assert.ok(apart.has("ana", "ben"), "the answer was older");
	apart.heard(["ana", "ben"], false);
	assert.ok(!apart.has("ana", "ben"), "at once");
	// The word of it was lost.
	state.blocked.set("ana", ["eve"]);
	apart.refresh();
	await eventually(() => assert.ok(apart.has("ana", "eve")));
	apart.stop();
	await broker.stop();
});

test("what cannot be asked is asked again", async () => {
	const { broker, state, apart } = await house();
	state.fails = true;
	apart.add("ana");
	await eventually(() => assert.equal(state.asked.length, 1));
	state.fails = false;
	await eventually(() => assert.ok(!apart.has("ana", "ben")));
	apart.stop();
	await broker.stop();
});
