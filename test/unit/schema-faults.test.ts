// How rules answer: page sizes, faults, and what they leave as it was.
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
	list,
	literal,
	object,
	oneOf,
	page,
	record,
	text,
	time,
	union,
	uuid,
} from "../../services/contracts/schema.ts";
import { accepts, id, wrong } from "../support/rules.ts";

test("lists have a limit of 1 to 100, and 20 if nobody says", () => {
	const check = compile(object(page));
	assert.deepEqual(check({}), { ok: true, value: { limit: 20 } });
	assert.deepEqual(wrong(object(page), { limit: 0 }), { limit: "min" });
	assert.deepEqual(wrong(object(page), { limit: 101, cursor: "" }), { limit: "max" });
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
