// When a recurring job is due. Times are UTC.
import type { CronMatcher } from "graphile-worker";

const named = { hourly: "0 * * * *", daily: "0 3 * * *" };

/** `hourly` (on the hour), `daily` (at three), or minute, hour, day of the month, month and day of the week as in a crontab. */
export type Every = keyof typeof named | `${string} ${string} ${string} ${string} ${string}`;

export const crontabOf = (every: Every): string => (every in named ? named[every as keyof typeof named] : every);

const MINUTE = 60_000;
/** A leap day comes again after eight years at most. */
const MOST_MINUTES = 8 * 366 * 24 * 60;

/** The first full minute after `after` that matches; throws for a pattern that never does, such as 30 February. */
export function nextTime(matches: CronMatcher, after: Date): Date {
	let time = Math.floor(after.getTime() / MINUTE) * MINUTE;
	for (let minutes = 0; minutes < MOST_MINUTES; minutes++) {
		time += MINUTE;
		const at = new Date(time);
		const digest = {
			min: at.getUTCMinutes(),
			hour: at.getUTCHours(),
			date: at.getUTCDate(),
			month: at.getUTCMonth() + 1,
			dow: at.getUTCDay(),
		};
		if (matches(digest)) return at;
	}
	throw new Error("This pattern of a recurring job never matches.");
}
