// What the rules of services/contracts/schema.ts accept, refuse and say.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
	array,
	bool,
	compile,
	cursor,
	defaulted,
	email,
	int,
	json,
	list,
	literal,
	nullable,
	number,
	object,
	oneOf,
	optional,
	page,
	record,
	text,
	time,
	union,
	uuid,
} from "../../services/contracts/schema.ts";
import type { Rule } from "../../services/contracts/schema.ts";

const id = "0199c0de-0000-7000-8000-000000000001";

/** The codes of what is wrong, by path. */
function wrong(rule: Rule, value: unknown): Record<string, string> {
	const checked = compile(rule)(value);
	return checked.ok ? {} : Object.fromEntries(checked.errors.map(({ path, code }) => [path, code]));
}
function accepts(rule: Rule, ...values: unknown[]) {
	for (const value of values) assert.deepEqual(compile(rule)(value), { ok: true, value });
}
function refuses(rule: Rule, code: string, ...values: unknown[]) {
	for (const value of values) assert.deepEqual(wrong(rule, value), { "": code }, String(value));
}

test("a text has bounds, counted in characters and not in code units", () => {
	accepts(text(0, 3), "", "abc", "😀😀😀", " ");
	refuses(text(0, 3), "max", "abcd", "😀😀😀😀", "x".repeat(1_000_000));
	refuses(text(2, 3), "min", "a", "😀", "");
	refuses(text(0, 3), "type", 1, true, {}, [], ["a"]);
	refuses(text(0, 3), "required", null, undefined);
});

test("a text with a NUL or half a surrogate pair is refused, since the database would refuse it", () => {
	refuses(text(0, 9), "characters", "a\0b", "\ud800", "\udc00x");
	refuses(text(1, 128, { verbatim: true }), "characters", "pass\0word");
});

test("a text of nothing but white space is blank, unless it is taken verbatim", () => {
	refuses(text(1, 9), "blank", " ", "\t\n", "\u00a0");
	accepts(text(1, 9, { verbatim: true }), "   ");
	accepts(text(0, 9), "  ");
});

test("texts are never changed", () => {
	accepts(text(1, 9), "  a  ", "A");
});

test("a text's pattern is checked whole by its own anchors", () => {
	accepts(text(1, 9, { pattern: /^[a-z]+$/ }), "abc");
	refuses(text(1, 9, { pattern: /^[a-z]+$/ }), "format", "ABC", "ab1");
});

test("an id is a UUID of any version, and is read in lower case", () => {
	accepts(uuid, id, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff");
	assert.deepEqual(compile(uuid)(id.toUpperCase()), { ok: true, value: id });
	refuses(uuid, "format", "1", "", `${id}0`, `{${id}}`, id.replaceAll("-", ""), `${id.slice(0, -1)}g`, ` ${id.slice(1)}`);
});

test("an e-mail has something on both sides of one @", () => {
	accepts(email, "a@b.c", " Mixed.Case+tag@Example.org ", "ü@exämple.org");
	refuses(email, "format", "abc", "ab@", "@bc", "a b@c.d", "a@b@c", "a@b c");
	refuses(email, "max", `${"a".repeat(250)}@b.cd`);
});

test("a time is ISO 8601 in UTC and a day that exists", () => {
	accepts(time, "2026-01-31T23:59:59Z", "2024-02-29T00:00:00.123Z", "2026-01-31T12:00:00.123456789Z");
	refuses(
		time,
		"format",
		"2026-02-30T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"2026-01-31",
		"2026-01-31T12:00:00",
		"2026-01-31T12:00:00+01:00",
		"2026-13-01T00:00:00Z",
		"2026-01-31T24:00:00Z",
		"",
		"now",
	);
	refuses(time, "type", 1769860800000, new Date());
});

test("a whole number is safe, finite and within its bounds", () => {
	accepts(int(), 0, -1, Number.MAX_SAFE_INTEGER);
	assert.equal(compile(int(0))(-0).ok, true);
	refuses(int(), "type", 1.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN, Number.POSITIVE_INFINITY, "1", true, [1]);
	refuses(int(1, 100), "min", 0);
	refuses(int(1, 100), "max", 101);
});

test("a number is finite and within its bounds", () => {
	accepts(number(-1, 1), -1, 0.5, 1);
	refuses(number(), "type", Number.NaN, Number.NEGATIVE_INFINITY, "0.5");
	refuses(number(0, 1), "max", 1.01);
});

test("a boolean is nothing else", () => {
	accepts(bool, true, false);
	refuses(bool, "type", "true", 1, 0, "on");
});

test("one of several values is exactly one of them", () => {
	accepts(oneOf("a", "b", 3), "a", "b", 3);
	refuses(oneOf("a", "b", 3), "enum", "A", "3", "toString", ["a"]);
	accepts(literal("x"), "x");
	refuses(literal(1), "enum", "1", true);
});

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

test("lists have a limit of 1 to 100, and 20 if nobody says", () => {
	const check = compile(object(page));
	assert.deepEqual(check({}), { ok: true, value: { limit: 20 } });
	assert.deepEqual(wrong(object(page), { limit: 0 }), { limit: "min" });
	assert.deepEqual(wrong(object(page), { limit: 101, cursor: "" }), { limit: "max", cursor: "min" });
	accepts(list(int()), { data: [1], nextCursor: null }, { data: [], nextCursor: "abc" });
	assert.deepEqual(wrong(list(int()), { data: [] }), { nextCursor: "required" });
	accepts(cursor, "eyJ");
});

test("the value that is given is not changed, frozen or not", () => {
	const rule = object({ ids: array(uuid), limit: defaulted(int(), 1), more: record(int()) });
	const given = Object.freeze({ ids: Object.freeze([id.toUpperCase()]), more: Object.freeze({ a: 1 }) });
	const checked = compile(rule)(given);
	assert.deepEqual(checked, { ok: true, value: { ids: [id], limit: 1, more: { a: 1 } } });
	assert.deepEqual(given, { ids: [id.toUpperCase()], more: { a: 1 } });
});

test("no message repeats the value that was refused", () => {
	const secret = "hunter2-is-my-secret";
	const rule = object({
		a: text(1, 5),
		b: text(40, 50),
		c: int(),
		d: bool,
		e: oneOf("x"),
		f: uuid,
		g: email,
		h: time,
		i: literal("y"),
		j: array(int()),
		k: union("kind", { a: object({}) }),
		l: text(1, 30, { pattern: /^\d$/ }),
	});
	const checked = compile(rule)({ ...Object.fromEntries([..."abcdefghijl"].map((field) => [field, secret])), k: { kind: secret } });
	assert.ok(!checked.ok);
	assert.equal(checked.errors.length, 12);
	assert.ok(!JSON.stringify(checked.errors).includes("hunter2"));
});

test("of a hundred faults fifty are told, and no path is longer than 200 characters", () => {
	const many = compile(array(int(), { max: 200 }))(Array(100).fill("x"));
	assert.equal(many.ok || many.errors.length, 50);
	const long = compile(object({}))({ ["x".repeat(5000)]: 1 });
	assert.equal(long.ok || long.errors[0]?.path.length, 200);
});

test("every fault has a sentence for people", () => {
	const checked = compile(object({ a: text(3, 5), b: int(1) }))({ a: "x", b: 0, c: 1 });
	assert.deepEqual(checked, {
		ok: false,
		errors: [
			{ path: "a", code: "min", message: "must be at least 3 characters long" },
			{ path: "b", code: "min", message: "must be at least 1" },
			{ path: "c", code: "unknown", message: "is not a known field" },
		],
	});
});

test("a rule is compiled once and remembered", () => {
	const rule = object({ a: int() });
	assert.equal(compile(rule), compile(rule));
	assert.deepEqual(rule, { type: "object", props: { a: { type: "number", integer: true, min: undefined, max: undefined } } });
});

test("the same rule in several places is checked in each of them", () => {
	const point = object({ x: int(), tags: array(int()) });
	const same = { x: 1, tags: [1] };
	accepts(object({ from: point, to: point, all: array(point) }), { from: same, to: same, all: [same, same] });
	assert.deepEqual(wrong(object({ from: point, to: point }), { from: same, to: { x: "1", tags: ["1"] } }), {
		"to.x": "type",
		"to.tags[0]": "type",
	});
});
