// Request limits: so many at once, coming back evenly, for a bounded number of keys.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeLimiter } from "../../mixins/limits.ts";

const T0 = 1_000_000;

describe("a limiter", () => {
	it("gives all units at once, then none, then one by one", () => {
		const limiter = makeLimiter({ units: 60, seconds: 60 });
		for (let left = 59; left >= 0; left--)
			assert.deepEqual(limiter.take("a", T0), { allowed: true, remaining: left, resetSeconds: 60 - left, retrySeconds: 0 });
		assert.deepEqual(limiter.take("a", T0), { allowed: false, remaining: 0, resetSeconds: 60, retrySeconds: 1 });
		assert.equal(limiter.take("a", T0 + 999).allowed, false);
		assert.equal(limiter.take("a", T0 + 1000).allowed, true);
		assert.equal(limiter.take("a", T0 + 1000).allowed, false);
		assert.equal(limiter.take("a", T0 + 61_000).remaining, 59);
	});

	it("keeps keys apart", () => {
		const limiter = makeLimiter({ units: 1, seconds: 10 });
		assert.equal(limiter.take("a", T0).allowed, true);
		assert.equal(limiter.take("b", T0).allowed, true);
		assert.deepEqual(limiter.take("a", T0), { allowed: false, remaining: 0, resetSeconds: 10, retrySeconds: 10 });
	});

	it("does not charge for what it refuses", () => {
		const limiter = makeLimiter({ units: 1, seconds: 10 });
		for (let i = 0; i < 100; i++) limiter.take("a", T0);
		assert.equal(limiter.take("a", T0 + 10_000).allowed, true);
	});

	it("holds in a factor of a hundred thousand", () => {
		const limiter = makeLimiter({ units: 120_000_000, seconds: 60 });
		for (let i = 0; i < 100_000; i++) assert.ok(limiter.take("a", T0).allowed);
	});

	it("neither punishes nor forgives when the clock is set back, by whatever it is", () => {
		for (const back of [1, 9_000, 10_000, 11_000, 3_600_000]) {
			const limiter = makeLimiter({ units: 2, seconds: 10 });
			limiter.take("spent", T0);
			limiter.take("spent", T0);
			assert.equal(limiter.take("used", T0).allowed, true);
			const later = T0 - back;
			assert.deepEqual(limiter.take("spent", later), { allowed: false, remaining: 0, resetSeconds: 10, retrySeconds: 5 }, `${back}`);
			assert.equal(limiter.take("used", later).allowed, true, `${back}`);
			assert.equal(limiter.take("spent", later + 4_999).allowed, false, `${back}`);
			assert.equal(limiter.take("spent", later + 5_000).allowed, true, `${back}`);
		}
	});

	it("takes a clock that goes forth and back as often as it likes for one that goes on", () => {
		const limiter = makeLimiter({ units: 600, seconds: 60 });
		for (let turn = 0; turn < 50; turn++) {
			for (const now of [T0 + turn, T0 + turn + 86_400_000]) assert.equal(limiter.take("a", now).allowed, true, `${turn}`);
		}
	});

	it("remembers a bounded number of keys, the unused ones last", () => {
		const limiter = makeLimiter({ units: 2, seconds: 10 }, 100);
		for (let i = 0; i < 100; i++) limiter.take(`old ${i}`, T0);
		limiter.take("new", T0 + 6_000);
		assert.equal(limiter.size(), 1);
		for (let i = 0; i < 1_000; i++) limiter.take(`live ${i}`, T0 + 6_000);
		assert.ok(limiter.size() <= 100);
	});
});
