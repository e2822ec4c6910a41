// Codes and links in mails: how long they live, how often they may be guessed, and what they open. Pure.
import { problem } from "../../contracts/errors.ts";

/** `verify`: an account's own address. `reset`: a new password. `change`: another address for the account. */
export const PURPOSES = ["verify", "reset", "change"] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Wrong codes until a code is dead. Its link goes on: that cannot be guessed, and who guesses must not lock the owner out. */
export const TRIES = 5;
/** Wrong codes of an account, of all its mails in a day, until codes open nothing and links alone do. */
export const TRIES_A_DAY = 50;
/** Mails of one purpose that an account gets at most in the window; beyond that the last one stays good. */
export const MAILS = { most: 5, windowMs: 15 * 60_000 } as const;

const DAY = 86_400;

/** Seconds. `ttl`: TTL_MAIL_CODE, where it is set. */
export function lifetimes(purpose: Purpose, ttl: number | undefined): { code: number; link: number } {
	if (purpose === "reset") return { code: ttl ?? 1800, link: ttl ?? 1800 };
	return { code: ttl ?? 600, link: DAY };
}

/** What somebody brings: the code that was mailed to an address, or the token of the link. */
export type Proof = { email: string; code: string } | { token: string };

/** Throws 422 `validation` where it is neither or both. `email` as it was given. */
export function proofOf({ email, code, token }: { email?: string; code?: string; token?: string }): Proof {
	if (token !== undefined && email === undefined && code === undefined) return { token };
	if (token === undefined && email !== undefined && code !== undefined) return { email, code: code.replace(/[\s-]/g, "") };
	const path = token !== undefined ? "token" : email === undefined ? "email" : "code";
	throw problem("validation", { errors: [{ path, code: "required", message: "email and code, or token alone, are needed" }] });
}

export interface Mailed {
	purpose: Purpose;
	tries: number;
	/** Wrong codes of the account in a day. */
	triesOfDay: number;
	createdAt: string;
	codeUntil: string;
	linkUntil: string;
}

/** May its code still be tried? `factor`: RATE_LIMIT_FACTOR. */
export const takesCodes = (mailed: Mailed, factor: number, now: Date): boolean =>
	mailed.tries < TRIES && mailed.triesOfDay < TRIES_A_DAY * Math.max(1, factor) && mailed.codeUntil > now.toISOString();

export const takesLinks = (mailed: Mailed, now: Date): boolean => mailed.linkUntil > now.toISOString();

/**
 * Whether a mail opens a new password. One that was sent to prove the address does, as long as a reset's own would: an account that is not
 * verified gets no other, and who reads its mail has proved as much.
 */
export const opensPassword = ({ purpose, createdAt }: Mailed, ttl: number | undefined, now: Date): boolean =>
	purpose === "reset" || (purpose === "verify" && Date.parse(createdAt) + lifetimes("reset", ttl).link * 1000 > now.getTime());
