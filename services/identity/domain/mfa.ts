// Second factors: how long things are good, how often may be guessed, what a recovery code looks like. Pure.
import type { MfaMethod } from "../../contracts/mfa.ts";
import type { Failures } from "./login.ts";
import { THROTTLE_WINDOW_MS } from "./login.ts";

/** So long (s) is time between the two steps of a login. */
export const TICKET_SECONDS = 300;
/** Wrong ones after which a ticket has ended. */
export const TICKET_TRIES = 5;
/** So long (s) a passkey may take to sign. */
export const CHALLENGE_SECONDS = 300;
export const MOST_PASSKEYS = 20;
export const RECOVERY_CODES = 10;

/** The step (of 30 s) of an authenticator app, and how many before and after it are as good: clocks differ, people are slow. */
export const STEP_MS = 30_000;
export const STEPS_AROUND = 1;
export const stepOf = (now: Date): number => Math.floor(now.getTime() / STEP_MS);

/** What a code is that may be either: six digits come from the app. */
export type CodeKind = Exclude<MfaMethod, "passkey">;
export const kindOf = (code: string): CodeKind => (/^\d{6}$/.test(code.replace(/[\s-]/g, "")) ? "totp" : "recovery");

/** Crockford's letters: none is taken for another. */
const LETTERS = "0123456789abcdefghjkmnpqrstvwxyz";
/** A recovery code of ten random bytes, 50 bits: `7k3qm-x9d0w`. */
export function recoveryCode(random: Uint8Array): string {
	const letters = [...random.subarray(0, 10)].map((byte) => LETTERS[byte & 31]).join("");
	return `${letters.slice(0, 5)}-${letters.slice(5)}`;
}
/** A recovery code as it is compared: however it was written down. */
export const plainCode = (code: string): string => code.toLowerCase().replace(/[\s-]/g, "").replace(/o/g, "0").replace(/[il]/g, "1");

export const DAY_MS = 86_400_000;
export interface CodeLimits {
	/** Wrong codes of one account from one address in a quarter of an hour. */
	address: number;
	/** Wrong codes of the app in a day, from wherever: beyond it only known addresses may try. */
	day: number;
}
export const codeLimitsTimes = (factor: number): CodeLimits => ({
	address: Math.max(1, Math.floor(10 * factor)),
	day: Math.max(1, Math.floor(50 * factor)),
});

export interface WrongCodes {
	address: Failures;
	day: Failures;
	/** Whether a session of this account from there has `acr` 2. */
	known: boolean;
}

/**
 * Seconds until another code may be tried; 0 when it may now. Six digits could be guessed from many addresses in the end: a day
 * has so many tries for all strange addresses together. The owner still comes in: from where they were before, and from anywhere
 * with a recovery code or a passkey, which nobody guesses.
 */
export function codesWait(kind: CodeKind, wrong: WrongCodes, limits: CodeLimits, now: Date): number {
	const wait = ({ count, oldest }: Failures, limit: number, window: number) =>
		oldest && count >= limit ? Math.max(1, Math.ceil((Date.parse(oldest) + window - now.getTime()) / 1000)) : 0;
	const here = wait(wrong.address, limits.address, THROTTLE_WINDOW_MS);
	return kind === "totp" && !wrong.known ? Math.max(here, wait(wrong.day, limits.day, DAY_MS)) : here;
}

/** A passkey counts its uses, or says 0 always. Where the count does not go up, there are two of it. */
export const wentBack = (stored: number, given: number): boolean => (stored > 0 || given > 0) && given <= stored;

/** What an account can prove itself with besides the password, best first. */
export function methodsOf({ totp, passkeys, recoveryCodes }: { totp: boolean; passkeys: number; recoveryCodes: number }): MfaMethod[] {
	return [
		...(passkeys > 0 ? ["passkey" as const] : []),
		...(totp ? ["totp" as const] : []),
		...(recoveryCodes > 0 ? ["recovery" as const] : []),
	];
}
