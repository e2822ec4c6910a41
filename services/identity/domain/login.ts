// Who may sign in, what a password may be, and when somebody has guessed too often. Pure.
import { problem } from "../../contracts/errors.ts";
import type { Account } from "../../contracts/identity.ts";

/** Trim, NFKC, lower case, the whole address; plus-tags are kept: they are the owner's. */
export const normalizeEmail = (email: string): string => email.trim().normalize("NFKC").toLowerCase();

export const THROTTLE_WINDOW_MS = 15 * 60_000;
/** Wrong passwords in the window for one account from one address, and from one address for any account. */
export const THROTTLES = { account: 10, address: 100 } as const;

export interface Failures {
	count: number;
	/** The time of the failure that must leave the window before there may be another try. */
	oldest: Date | null;
}

/** Seconds until another try is allowed; 0 when it is now. `factor` multiplies the limits. */
export function throttled(failures: { account: Failures; address: Failures }, factor: number, now: Date): number {
	const wait = ({ count, oldest }: Failures, limit: number) =>
		oldest && count >= Math.max(1, Math.floor(limit * factor))
			? Math.ceil((oldest.getTime() + THROTTLE_WINDOW_MS - now.getTime()) / 1000)
			: 0;
	return Math.max(0, wait(failures.account, THROTTLES.account), wait(failures.address, THROTTLES.address));
}

/**
 * Whether an account whose password was right may sign in. A banned one is told so, with the end of the ban; a trashed or
 * purged one is as unknown.
 */
export function maySignIn(account: { state: Account["state"]; bannedUntil: Date | null }): void {
	switch (account.state) {
		case "banned":
			throw problem("banned", { until: account.bannedUntil?.toISOString() ?? null });
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
export function acceptPassword(password: string, common: ReadonlySet<string>): void {
	if (common.has(password.toLowerCase())) {
		throw problem("validation", {
			errors: [{ path: "password", code: "common", message: "This is one of the most common passwords: choose another." }],
		});
	}
}
