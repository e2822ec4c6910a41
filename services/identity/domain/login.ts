// Who may sign in, what a password may be, and when somebody has guessed too often. Pure.
import { problem } from "../../contracts/errors.ts";
import type { Account } from "../../contracts/identity.ts";

/** What an e-mail must still be once it is normalised: NFKC turns other signs into `@`, and one sign into many. */
const EMAIL = /^[^\s@]+@[^\s@]+$/u;

/** The normalised address of a new account. Throws 422 `validation`. */
export function acceptEmail(given: string): string {
	const email = normalizeEmail(given);
	if (email.length <= 254 && EMAIL.test(email)) return email;
	throw problem("validation", { errors: [{ path: "email", code: "format", message: "must be a valid email" }] });
}

/** Trim, NFKC, lower case, the whole address; plus-tags are kept: they are the owner's. */
export const normalizeEmail = (email: string): string => email.trim().normalize("NFKC").toLowerCase();

export const THROTTLE_WINDOW_MS = 15 * 60_000;
/** The clocks of two processes may be so far apart. What is later than that was counted before a clock was set back: it is no reason to wait. */
export const CLOCKS_APART_MS = 60_000;
/** Wrong passwords in the window for one account from one address, and from one address for any account. */
export const THROTTLES = { account: 10, address: 100 } as const;

export interface Limits {
	account: number;
	address: number;
}

/** The throttles times RATE_LIMIT_FACTOR. */
export const throttlesTimes = (factor: number): Limits => ({
	account: Math.max(1, Math.floor(THROTTLES.account * factor)),
	address: Math.max(1, Math.floor(THROTTLES.address * factor)),
});

export interface Failures {
	count: number;
	/** The time of the failure that must leave the window before there may be another try. */
	oldest: string | null;
}

/**
 * Seconds until another try is allowed; 0 when it is now. The `running` tries of the address may all turn out wrong: where
 * they could reach the limit, the next one waits for them.
 */
export function throttled(failures: { account: Failures; address: Failures }, running: number, limits: Limits, now: Date): number {
	const wait = ({ count, oldest }: Failures, limit: number) =>
		oldest && count >= limit ? Math.max(1, Math.ceil((Date.parse(oldest) + THROTTLE_WINDOW_MS - now.getTime()) / 1000)) : 0;
	const slow = failures.address.count + running >= limits.address ? 1 : 0;
	return Math.max(slow, wait(failures.account, limits.account), wait(failures.address, limits.address));
}

/**
 * Whether an account whose password was right may sign in. A banned one is told so, with the end of the ban; a trashed or
 * purged one is as unknown.
 */
export function maySignIn(account: { state: Account["state"]; bannedUntil: string | null }): void {
	switch (account.state) {
		case "banned":
			throw problem("banned", { until: account.bannedUntil });
		case "trashed":
		case "purged":
			throw problem("invalid-credentials");
		case "unverified":
		case "active":
		case "mustChangePassword":
			return;
		default:
			return account.state satisfies never;
	}
}

/** Refuses what everybody chooses; there are no rules of composition. */
export function acceptPassword(password: string, common: ReadonlySet<string>, path = "password"): void {
	if (common.has(password.toLowerCase())) {
		throw problem("validation", {
			errors: [{ path, code: "common", message: "This is one of the most common passwords: choose another." }],
		});
	}
}
