// Rules of lists, objects and unions: what they accept, refuse and say.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
	array,
	bool,
	compile,
	defaulted,
	either,
	int,
	json,
	literal,
	nullable,
	number,
	object,
	optional,
	record,
	text,
	union,
	uuid,
} from "../../services/contracts/schema.ts";
import { accepts, id, refuses, wrong } from "../support/rules.ts";

test("a list has items that are each checked, at their place", () => {
	accepts(array(int(), { max: 2 }), [], [1, 2]);
	refuses(array(int(), { max: 2 }), "max", [1, 2, 3]);
	refuses(array(int(), { min: 1 }), "min", []);
	refuses(array(int()), "type", { length: 1 }, "abc", 1);
	assert.deepEqual(wrong(object({ items: array(object({ id: uuid })) }), { items: [{ id }, { id: "x" }, {}] }), {
		"items[1].id": "format",
		"items[2].id": "required",
	});
	assert.deepEqual(wrong(array(array(int())), [[1], ["x"]]), { "[1][0]": "type" });
	assert.deepEqual(wrong(array(int()), [null]), { "[0]": "required" });
});

test("an object refuses fields it does not know, by their path", () => {
	const rule = object({ name: text(1, 5), address: object({ city: text(1, 5) }) });
	accepts(rule, { name: "a", address: { city: "b" } });
	assert.deepEqual(wrong(rule, { name: "a", address: { city: "", zip: 1 }, more: true }), {
		"address.city": "min",
		"address.zip": "unknown",
		more: "unknown",
	});
	refuses(rule, "type", [], "x", 1);
	assert.deepEqual(wrong(rule, {}), { name: "required", address: "required" });
});

test("__proto__ in a body is an unknown field and changes nothing", () => {
	const body = JSON.parse('{"name":"a","__proto__":{"admin":true}}') as unknown;
	assert.deepEqual(wrong(object({ name: text(1, 5) }), body), Object.fromEntries([["__proto__", "unknown"]]));
	assert.deepEqual(Object.keys(wrong(object({}), JSON.parse('{"constructor":1}'))), ["constructor"]);
	assert.equal(({} as { admin?: boolean }).admin, undefined);
});

test("a field that only the prototype has is missing", () => {
	assert.deepEqual(wrong(object({ toString: text(1, 9) }), {}), { toString: "required" });
});

test("names in a record have a pattern, and the dangerous ones are refused", () => {
	const rule = record(int(0), { max: 3 });
	accepts(rule, {}, { [`group:${id}`]: 1, "map:-9.1,38.7,-9.0,38.8": 2 });
	for (const name of ["__proto__", "constructor", "prototype", "a b", "", "x".repeat(121), "a\0"]) {
		assert.deepEqual(Object.values(wrong(rule, JSON.parse(`{${JSON.stringify(name)}:1}`))), ["key"], name);
	}
	assert.deepEqual(wrong(rule, { a: -1, b: "x" }), { a: "min", b: "type" });
	refuses(rule, "max", { a: 1, b: 1, c: 1, d: 1 });
	refuses(rule, "type", [1], "x");
});

test("optional means that it may be missing, and not that it may be null", () => {
	const rule = object({ a: optional(int()) });
	accepts(rule, {}, { a: 1 });
	assert.deepEqual(wrong(rule, { a: null }), { a: "required" });
	assert.deepEqual(compile(rule)({ a: undefined }), { ok: true, value: {} });
});

test("nullable means that it may be null, and not that it may be missing", () => {
	const rule = object({ a: nullable(int()) });
	accepts(rule, { a: null }, { a: 1 });
	assert.deepEqual(wrong(rule, {}), { a: "required" });
	accepts(object({ a: optional(nullable(int())) }), {}, { a: null }, { a: 2 });
});

test("a default fills in what is missing, false and empty ones too, and never what is null", () => {
	const rule = object({
		limit: defaulted(int(1, 100), 20),
		all: defaulted(bool, false),
		note: defaulted(text(0, 9), ""),
		tags: defaulted(array(text(1, 9)), []),
	});
	assert.deepEqual(compile(rule)({}), { ok: true, value: { limit: 20, all: false, note: "", tags: [] } });
	assert.deepEqual(compile(rule)({ limit: 5, all: true, note: "x", tags: ["y"] }), {
		ok: true,
		value: { limit: 5, all: true, note: "x", tags: ["y"] },
	});
	const nulls = compile(rule)({ limit: null });
	assert.deepEqual(nulls.ok || nulls.errors.map(({ path, code }) => [path, code]), [["limit", "required"]]);
});

test("a default is a fresh value each time", () => {
	const check = compile(object({ tags: defaulted(array(int()), []) }));
	const [one, two] = [check({}), check({})];
	assert.ok(one.ok && two.ok);
	one.value.tags.push(1);
	assert.deepEqual(two.value.tags, []);
});

test("one of several forms is the first that fits, with its defaults; what fits none is told so at its place", () => {
	const rule = object({ found: either(object({ id: uuid, n: defaulted(int(), 7) }), object({ missing: literal(true) })) });
	accepts(rule, { found: { id, n: 1 } }, { found: { missing: true } });
	assert.deepEqual(compile(rule)({ found: { id } }), { ok: true, value: { found: { id, n: 7 } } });
	for (const found of [{}, { id: "x" }, { missing: false }, { id, missing: true }, 1, [], "x"])
		assert.deepEqual(wrong(rule, { found }), { found: "type" }, JSON.stringify(found));
	assert.deepEqual(wrong(array(either(object({ a: int() }))), [{ a: 1 }, { a: "x" }]), { "[1]": "type" });
});

test("a union is told apart by its tag, and only the chosen variant's fields are known", () => {
	const rule = object({ what: union("kind", { text: object({ body: text(1, 5) }), place: object({ lat: number(-90, 90) }) }) });
	accepts(rule, { what: { kind: "text", body: "x" } }, { what: { kind: "place", lat: 1 } });
	assert.deepEqual(wrong(rule, { what: { kind: "place", body: "x" } }), { "what.lat": "required", "what.body": "unknown" });
	assert.deepEqual(wrong(rule, { what: { kind: "other" } }), { "what.kind": "enum" });
	assert.deepEqual(wrong(rule, { what: { kind: "toString" } }), { "what.kind": "enum" });
	assert.deepEqual(wrong(rule, { what: { body: "x" } }), { "what.kind": "required" });
	assert.deepEqual(wrong(rule, { what: 1 }), { what: "type" });
});

test("any JSON value is one that JSON can say and the database can keep", () => {
	accepts(json, null, 1, "x", [1, { a: [null] }], {}, false);
	refuses(json, "required", undefined);
	refuses(json, "type", Number.NaN, new Date(), new Map(), 1n, [Number.POSITIVE_INFINITY]);
	refuses(json, "characters", { a: ["\0"] }, { "\0": 1 });
	refuses(json, "key", JSON.parse('{"a":{"__proto__":1}}'));
	let deep: unknown = 1;
	for (let i = 0; i < 40; i++) deep = [deep];
	refuses(json, "type", deep);
});
