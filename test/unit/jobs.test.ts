// When a recurring job comes again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCronItem } from "graphile-worker";
import type { Every } from "../../mixins/jobs/every.ts";
import { crontabOf, nextTime } from "../../mixins/jobs/every.ts";

const next = (every: Every, after: string): string =>
	nextTime(parseCronItem({ task: "task", match: crontabOf(every) }).match, new Date(after)).toISOString();

const times: [Every, string, string][] = [
	["hourly", "2026-03-01T12:00:00.000Z", "2026-03-01T13:00:00.000Z"],
	["hourly", "2026-03-01T12:00:00.001Z", "2026-03-01T13:00:00.000Z"],
	["hourly", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"],
	["daily", "2026-03-01T02:59:59.999Z", "2026-03-01T03:00:00.000Z"],
	["daily", "2026-03-01T03:00:00.000Z", "2026-03-02T03:00:00.000Z"],
	["*/5 * * * *", "2026-03-01T12:04:30.000Z", "2026-03-01T12:05:00.000Z"],
	["30 4 * * 1", "2026-03-02T04:30:00.000Z", "2026-03-09T04:30:00.000Z"],
	["0 0 29 2 *", "2096-03-01T00:00:00.000Z", "2104-02-29T00:00:00.000Z"],
];

for (const [every, after, expected] of times) {
	test(`${every} after ${after} is ${expected}`, () => assert.equal(next(every, after), expected));
}

test("a day that never comes is refused", () => {
	assert.throws(() => next("0 0 30 2 *", "2026-03-01T00:00:00.000Z"), /never/);
});
