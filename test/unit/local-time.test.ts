// The clock on the wall: quiet hours and digests, also in the nights in which it is put forward or back.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestAt, nextWall, quietUntil, wallMinute } from "../../services/presence/domain/local-time.ts";

const MINUTE = 60_000;
const DAY = 1_440;
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString().slice(0, 16));
const at = (text: string) => Date.parse(`${text}:00Z`);

const night = { from: "22:00", to: "07:00" };
const noon = { from: "12:30", to: "13:15" };
const small = { from: "01:30", to: "02:30" };

const table: [when: string, zone: string, quiet: { from: string; to: string } | null, until: string | null][] = [
	["2026-01-15T23:00", "UTC", null, null],
	["2026-01-15T21:59", "UTC", night, null],
	["2026-01-15T22:00", "UTC", night, "2026-01-16T07:00"],
	["2026-01-16T06:59", "UTC", night, "2026-01-16T07:00"],
	["2026-01-16T07:00", "UTC", night, null],
	["2026-01-16T12:45", "UTC", noon, "2026-01-16T13:15"],
	// Lisbon is an hour ahead in summer, Kathmandu five and three quarters always.
	["2026-07-15T21:30", "Europe/Lisbon", night, "2026-07-16T06:00"],
	["2026-07-15T16:30", "Asia/Kathmandu", night, "2026-07-16T01:15"],
	// Put forward: the night of 28 to 29 March is an hour shorter; 02:30 is not on the wall in Berlin, and quiet ends at 03:00.
	["2026-03-28T23:00", "Europe/Berlin", night, "2026-03-29T05:00"],
	["2026-03-29T00:45", "Europe/Berlin", small, "2026-03-29T01:00"],
	// Put back: an hour longer; and 02:30 is there twice, the first time ends it.
	["2026-10-24T22:00", "Europe/Berlin", night, "2026-10-25T06:00"],
	["2026-10-24T23:45", "Europe/Berlin", small, "2026-10-25T00:30"],
	["2026-10-25T01:10", "Europe/Berlin", small, "2026-10-25T01:30"],
	// By half an hour on Lord Howe; at midnight in Santiago and Beirut.
	["2026-10-03T14:30", "Australia/Lord_Howe", small, null],
	["2026-10-03T15:15", "Australia/Lord_Howe", small, "2026-10-03T15:30"],
	["2026-09-06T03:30", "America/Santiago", night, "2026-09-06T10:00"],
	["2026-03-28T21:30", "Asia/Beirut", night, "2026-03-29T04:00"],
];

test("quiet hours end when the wall shows their end, in every zone and in the nights that are longer or shorter", () => {
	for (const [when, zone, quiet, until] of table) assert.equal(iso(quietUntil(at(when), quiet, zone)), until, `${when} ${zone}`);
});

test("a digest comes with the next full hour or the next morning, and not in quiet hours", () => {
	const due = (when: string, digest: "hourly" | "daily", zone: string, quiet: typeof night | null = null) =>
		iso(digestAt(at(when), digest, zone, quiet));
	assert.equal(due("2026-01-15T10:20", "hourly", "UTC"), "2026-01-15T11:00");
	assert.equal(due("2026-01-15T10:00", "hourly", "UTC"), "2026-01-15T11:00");
	assert.equal(due("2026-01-15T10:20", "hourly", "Asia/Kathmandu"), "2026-01-15T11:15");
	assert.equal(due("2026-01-15T21:30", "hourly", "UTC", night), "2026-01-16T07:00");
	assert.equal(due("2026-01-15T07:59", "daily", "UTC"), "2026-01-15T08:00");
	assert.equal(due("2026-01-15T08:00", "daily", "UTC"), "2026-01-16T08:00");
	assert.equal(due("2026-03-28T20:00", "daily", "Europe/Lisbon"), "2026-03-29T07:00");
	assert.equal(due("2026-10-24T20:00", "daily", "Europe/Lisbon"), "2026-10-25T08:00");
	assert.equal(due("2026-01-15T20:00", "daily", "UTC", { from: "07:30", to: "09:45" }), "2026-01-16T09:45");
});

/** Zones with every kind of change: none, whole hours both hemispheres, half an hour, at midnight, by decree. */
const zones = [
	"UTC",
	"Europe/Lisbon",
	"Europe/Berlin",
	"America/New_York",
	"America/St_Johns",
	"America/Santiago",
	"Asia/Kathmandu",
	"Asia/Baghdad",
	"Asia/Beirut",
	"Africa/Casablanca",
	"Australia/Lord_Howe",
	"Pacific/Chatham",
];
const moments = fc.integer({ min: at("2024-01-01T00:00") / MINUTE, max: at("2029-01-01T00:00") / MINUTE });

test("the next time the wall shows a minute is what one finds by looking at it every minute", () => {
	/** Minute by minute: the wall shows it, or was put forward past it. */
	const watched = (from: number, minute: number, zone: string): number => {
		let before = wallMinute(from, zone);
		for (let time = from + MINUTE; ; time += MINUTE) {
			const shown = wallMinute(time, zone);
			const step = (shown - before + DAY) % DAY;
			if (shown === minute || (step > 1 && step < DAY / 2 && (minute - before + DAY) % DAY <= step)) return time;
			before = shown;
		}
	};
	// Each zone around its changes as well as anywhere.
	const property = fc.property(fc.constantFrom(...zones), moments, fc.integer({ min: 0, max: DAY - 1 }), (zone, moment, minute) => {
		assert.equal(iso(nextWall(moment * MINUTE, minute, zone)), iso(watched(moment * MINUTE, minute, zone)));
	});
	fc.assert(property, { numRuns: 150 });
	for (const zone of zones)
		for (const day of changesOf(zone))
			fc.assert(
				fc.property(fc.integer({ min: -DAY, max: DAY }), fc.integer({ min: 0, max: DAY - 1 }), (off, minute) => {
					const from = day + off * MINUTE;
					assert.equal(iso(nextWall(from, minute, zone)), iso(watched(from, minute, zone)), `${zone} ${iso(from)} ${minute}`);
				}),
				{ numRuns: 12 },
			);
});

/** Midnights (UTC) of the days of 2026 in which the clock of a zone is changed. */
function changesOf(zone: string): number[] {
	const days: number[] = [];
	for (let day = at("2026-01-01T00:00"); day < at("2027-01-01T00:00"); day += DAY * MINUTE)
		if (wallMinute(day, zone) !== wallMinute(day + DAY * MINUTE, zone)) days.push(day);
	return days;
}

test("whoever is quiet is quiet until the end is shown, and not longer than a day and the hour that was put back", () => {
	const time = fc.integer({ min: 0, max: DAY - 1 });
	const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
	fc.assert(
		fc.property(fc.constantFrom(...zones), moments, time, time, (zone, moment, from, to) => {
			fc.pre(from !== to);
			const now = moment * MINUTE;
			const until = quietUntil(now, { from: clock(from), to: clock(to) }, zone);
			const wall = wallMinute(now, zone);
			const within = from < to ? wall >= from && wall < to : wall >= from || wall < to;
			assert.equal(until !== null, within);
			if (until !== null) assert.ok(until > now && until - now <= (DAY + 60) * MINUTE);
		}),
	);
});
