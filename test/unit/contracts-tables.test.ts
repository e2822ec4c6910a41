// The tables of services/contracts: what index.ts makes of the nodes' files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { internal, published } from "../../services/contracts/contract.ts";
import { allActions, allFacts, checkNames, contractOf, nodeNames, nodeOf } from "../../services/contracts/index.ts";
import { fieldsOf, logEvent, notices } from "../../services/contracts/rooms.ts";
import { int, object, text, uuid } from "../../services/contracts/schema.ts";
import { accepts, sample } from "../support/rules.ts";

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

test("an event of a profile's room may be any notice there is", () => {
	for (const [type, props] of Object.entries(notices))
		accepts(logEvent, { ...(sample(object(props)) as object), room: "profile:x", seq: 1, type, at: "2026-01-01T00:00:00.000Z", by: null });
});

test("two notices may give one field only by the same rule, and none of the envelope's", () => {
	fieldsOf({ kept: { noteId: uuid }, gone: { noteId: { ...uuid } } });
	assert.throws(() => fieldsOf({ paid: { amount: int() }, spent: { amount: int(0) } }), /"spent" gives the field "amount"/);
	assert.throws(() => fieldsOf({ named: { noteId: text(1, 36) }, gone: { noteId: uuid } }), /"gone" gives the field "noteId"/);
	assert.throws(() => fieldsOf({ moved: { at: text(1, 9) } }), /"moved" gives the field "at"/);
});
