// A clock that a test turns forward. Only Date: timers stay real, so what polls goes on polling.
import { mock } from "node:test";

/** Stops Date at this moment; `mock.timers.reset()` lets it run again. */
export function stopClock(): void {
	mock.timers.reset();
	mock.timers.enable({ apis: ["Date"], now: Date.now() });
}

/** Turns the stopped clock forward (ms). Never before the real time: PostgreSQL has its own clock, and a failed job waits by that. */
export const turnClock = (ms: number): void => mock.timers.setTime(Date.now() + ms);
