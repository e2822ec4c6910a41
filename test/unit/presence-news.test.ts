// Signals that may be lost or late: which numbers of a gapless sequence have come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Numbers } from "../../services/socket/presence/news.ts";

test("what comes in order, or a little out of it, is not missed", () => {
	const numbers = new Numbers();
	numbers.begin(10);
	assert.equal(numbers.came(11), true);
	assert.equal(numbers.came(13), true);
	assert.equal(numbers.look(13), false, "12 may be on its way");
	assert.equal(numbers.came(12), false, "but it is older than what has come");
	assert.equal(numbers.look(13), false);
	assert.equal(numbers.came(14), true);
	assert.equal(numbers.look(14), false);
});

test("what has not come by the next look is missing, once", () => {
	const numbers = new Numbers();
	numbers.begin(10);
	assert.equal(numbers.look(12), false);
	assert.equal(numbers.look(12), true);
	assert.equal(numbers.look(12), false);
	assert.equal(numbers.came(12), false, "it was made up for: older than the answer");
	assert.equal(numbers.came(13), true);
	assert.equal(numbers.look(15), false);
	assert.equal(numbers.came(15), true);
	assert.equal(numbers.look(16), true, "14 never came");
});

test("a sequence that goes on far above is followed from there", () => {
	const numbers = new Numbers();
	assert.equal(numbers.look(0), false);
	assert.equal(numbers.came(1_000_000), true);
	assert.equal(numbers.look(1_000_000), false);
	assert.equal(numbers.look(1_000_000), true);
	assert.equal(numbers.came(1_000_001), true);
	assert.equal(numbers.look(1_000_001), false);
	assert.equal(numbers.look(1_000_001), false);
});

test("after a new beginning nothing before it counts", () => {
	const numbers = new Numbers();
	numbers.begin(500);
	numbers.came(501);
	numbers.begin(3);
	assert.equal(numbers.came(4), true);
	assert.equal(numbers.look(4), false);
	assert.equal(numbers.look(4), false);
});
