// The clock of this process, turned for a test: `Date` alone. Timers run on as they are, and what polls goes on polling; so does
// now() of a database. What is to be due by the turned clock must get its time from `Date`.
import { afterEach, mock } from "node:test";

let stopped = false;

/** Stops the clock at this moment, also one that was turned; after the test it is right again. */
export function stopClock(): void {
	mock.timers.reset();
	mock.timers.enable({ apis: ["Date"], now: Date.now() });
	stopped = true;
}

/**
 * Puts the clock forward (ms), where it stands until it is turned again or the test is over. Tokens grow old with it: beyond their
 * time one signs in again. Sockets of `connect` (client.ts) live on. Never before the real time: PostgreSQL has its own clock,
 * and a failed job waits by that.
 */
export function turnClock(ms: number): void {
	if (!stopped) stopClock();
	mock.timers.setTime(Date.now() + ms);
}

afterEach(() => {
	if (stopped) mock.timers.reset();
	stopped = false;
});
