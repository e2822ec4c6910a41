// The tables of services/contracts: what index.ts makes of the nodes' files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { internal, published } from "../../services/contracts/contract.ts";
import { allActions, allFacts, checkNames, contractOf, nodeNames, nodeOf } from "../../services/contracts/index.ts";

test("every node has a health action without writing one", () => {
	for (const node of nodeNames) assert.equal(contractOf(`${node}.health`).published, true);
});

test("the table an action stands in says whether a door may name it", () => {
	const entry = { summary: "Say so.", params: {}, answer: { type: "boolean" } } as const;
	assert.deepEqual(published({ "a.b": entry }), { "a.b": { ...entry, published: true } });
	assert.deepEqual(internal({ "a.b": entry }), { "a.b": entry });
	assert.equal(contractOf("groups.memberIds").published, undefined);
});

test("a service belongs to the node whose contracts name it", () => {
	assert.equal(nodeOf("messages"), "groups");
	assert.equal(nodeOf("groups"), "groups");
	assert.equal(nodeOf("socket"), "socket");
	assert.equal(nodeOf("ops"), undefined);
});

test("a fact or a signal that is not named after its node is refused: its stream would be another node's", () => {
	checkNames();
	assert.throws(
		() => checkNames({ notes: [{ actions: {}, facts: { "note.shared": { summary: "A note was shared.", payload: {} } } }] }),
		/"note\.shared" .* is told by the node notes: call it "notes\.note\.shared"/,
	);
	assert.throws(
		() => checkNames({ notes: [{ actions: {}, signals: { stirred: { summary: "Something.", payload: {} } } }] }),
		/"notes\.stirred"/,
	);
	for (const fact of Object.keys(allFacts)) assert.ok(nodeNames.includes(fact.split(".")[0] as never));
});

test("no two nodes offer an action of the same name", () => {
	assert.throws(() => checkNames({ a: [{ actions: { "x.y": {} } }], b: [{ actions: { "x.y": {} } }] }), /"x\.y" stands twice/);
	assert.ok(Object.keys(allActions).length > nodeNames.length);
});
