// The clock on the wall of a time zone: quiet hours and digests go by it, also when it is put forward or back. Pure.
import type { Digest } from "../../contracts/notifications.ts";

const MINUTE = 60_000;
const DAY = 1_440;
/** A digest of the day comes at this hour (08:00). */
const MORNING = 8 * 60;

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string): Intl.DateTimeFormat {
	let clock = clocks.get(timeZone);
	if (!clock) {
		clock = new Intl.DateTimeFormat("en-GB", { timeZone, hourCycle: "h23", hour: "2-digit", minute: "2-digit" });
		clocks.set(timeZone, clock);
	}
	return clock;
}

/** Minutes since midnight that the wall shows. */
export function wallMinute(at: number, timeZone: string): number {
	const [hour, minute] = clockOf(timeZone).format(at).split(":").map(Number) as [number, number];
	return hour * 60 + minute;
}

/** `22:30` in minutes. */
export const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

const modulo = (minutes: number): number => ((minutes % DAY) + DAY) % DAY;

/** How far the wall is ahead of the instant, in minutes of a day: another number where the clock has been changed in between. */
const ahead = (at: number, timeZone: string): number => modulo(wallMinute(at, timeZone) - Math.floor(at / MINUTE));

/**
 * The first full minute after `at` (ms) in which the wall shows `minute`, or has been put forward past it. A day later at the most, but
 * for the hour by which a clock is put back.
 */
export function nextWall(at: number, minute: number, timeZone: string): number {
	const now = Math.floor(at / MINUTE) * MINUTE;
	const until = (from: number): number => from + (modulo(minute - wallMinute(from, timeZone)) || DAY) * MINUTE;
	const there = until(now);
	const offset = ahead(now, timeZone);
	if (ahead(there, timeZone) === offset) return there;
	// The clock is changed in between: find the first minute by the new time.
	let [before, changed] = [now, there];
	while (changed - before > MINUTE) {
		const middle = before + Math.floor((changed - before) / MINUTE / 2) * MINUTE;
		if (ahead(middle, timeZone) === offset) before = middle;
		else changed = middle;
	}
	const shown = wallMinute(changed, timeZone);
	const skipped = modulo(shown - (wallMinute(before, timeZone) + 1));
	const put = skipped <= DAY / 2 ? skipped : 0;
	// Put forward onto it or past it; or the new time shows it right away.
	if (modulo(shown - minute) <= put) return changed;
	return until(changed);
}

export interface QuietHours {
	from: string;
	to: string;
}

/** When those who are left in peace now may be told again (ms); null where they are not. `from` after `to` is across midnight. */
export function quietUntil(at: number, quiet: QuietHours | null, timeZone: string): number | null {
	if (!quiet) return null;
	const [from, to] = [minuteOf(quiet.from), minuteOf(quiet.to)];
	const now = wallMinute(at, timeZone);
	if (modulo(now - from) >= modulo(to - from)) return null;
	return nextWall(at, to, timeZone);
}

/** When what has gathered goes out (ms): at the next full hour, or in the morning, and not within the quiet hours. */
export function digestAt(at: number, digest: Exclude<Digest, "off">, timeZone: string, quiet: QuietHours | null): number {
	const hour = (Math.floor(wallMinute(at, timeZone) / 60) + 1) * 60;
	const due = nextWall(at, digest === "daily" ? MORNING : hour % DAY, timeZone);
	return quietUntil(due, quiet, timeZone) ?? due;
}
