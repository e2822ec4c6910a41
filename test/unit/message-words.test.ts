// By which words a text is found.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fold, matchesIn, termsOf, wordsOf } from "../../services/groups/domain/words.ts";

const isFound = (text: string, question: string): boolean => {
	const words = wordsOf(text);
	const terms = termsOf(question);
	return terms.length > 0 && terms.every(({ word, begins }) => words.some((one) => one === word || (begins && one.startsWith(word))));
};

test("accents, case, and letters that are typed in several ways make no difference", () => {
	for (const [one, other] of [
		["São João", "SAO JOAO"],
		["الإصلاحُ", "الاصلاح"],
		["كوردستان", "کوردستان"],
		["ﬁne ＡＢＣ", "fine abc"],
		["Straße", "STRASSE"],
		["İstanbul", "istanbul"],
		["٢٠٢٦", "۲۰۲۶"],
		["soft\u00adware", "software"],
		["a\u0301", "\u00e1"],
	] as const)
		assert.equal(fold(one), fold(other));
	assert.notEqual(fold("が"), fold("か"));
});

test("a run of characters is found by any two in a row, and by its last one", () => {
	assert.deepEqual(wordsOf("修理店"), ["修理", "理店", "店"]);
	assert.deepEqual(termsOf("修理店"), [
		{ word: "修理", begins: false },
		{ word: "理店", begins: false },
	]);
	assert.deepEqual(termsOf("店"), [{ word: "店", begins: true }]);
});

test("one letter or two are looked for as a word, more of them as how one begins", () => {
	assert.ok(isFound("vitamin c", "c"));
	assert.ok(!isFound("vitamin and clay", "c"));
	assert.ok(!isFound("vitamin and clay", "cl"));
	assert.ok(isFound("vitamin and clay", "cla"));
});

test("whatever is said is found by each of its own words, and says where it fits", () => {
	fc.assert(
		fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
			for (const word of wordsOf(text)) assert.ok(isFound(text, word), JSON.stringify([text, word]));
			for (const { from, to } of matchesIn(text, text)) assert.ok(from >= 0 && from < to && to <= text.length);
		}),
	);
});

test("nothing that is said breaks what it is found by: words without white space, none of them empty", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
			for (const word of wordsOf(text)) assert.match(word, /^[^\s'\\&|!():*<>@]+$/u);
			assert.deepEqual(wordsOf(fold(text)), wordsOf(fold(fold(text))));
		}),
	);
});
