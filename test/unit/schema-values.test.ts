// Rules of single values: what they accept, refuse and say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bool, compile, email, int, literal, number, oneOf, text, time, uuid } from "../../services/contracts/schema.ts";
import { accepts, id, refuses } from "../support/rules.ts";

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
		"2026-01-31T12:00:00-00:00",
		"2026-02-30T00:00:00+00:00",
		"2026-13-01T00:00:00Z",
		"2026-01-31T24:00:00Z",
		"",
		"now",
	);
	assert.deepEqual(compile(time)("2026-01-31T12:00:00.5+00:00"), { ok: true, value: "2026-01-31T12:00:00.5Z" });
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
