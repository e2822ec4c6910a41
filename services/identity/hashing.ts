// Passwords as argon2id (ASVS 5 appendix C: 19 MiB, two passes, one lane), a bounded number at once: each costs memory and
// some 30 ms of a core, and strangers can ask for it.
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { problem } from "../contracts/errors.ts";

const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const PREFIX = `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$`;
const AT_ONCE = 2;
const MAX_WAITING = 400;

const derive = promisify(argon2);
const waiting: (() => void)[] = [];
let running = 0;

/** How many hashes were computed since the start: known and unknown accounts must cost the same. */
export const computed = { hashes: 0 };

async function argon2id(password: string, nonce: Buffer): Promise<Buffer> {
	if (running >= AT_ONCE) {
		if (waiting.length >= MAX_WAITING) throw problem("unavailable", { retryAfter: 2 });
		await new Promise<void>((resolve) => waiting.push(resolve));
	} else {
		running++;
	}
	computed.hashes++;
	try {
		return (await derive("argon2id", { message: Buffer.from(password, "utf8"), nonce, ...COST })) as Buffer;
	} finally {
		// Who waits longest takes the place over; nobody can slip in between.
		const next = waiting.shift();
		if (next) next();
		else running--;
	}
}

/** The hash of a password in PHC string format. */
export async function hashPassword(password: string): Promise<string> {
	const nonce = randomBytes(16);
	const hash = await argon2id(password, nonce);
	return `${PREFIX}${nonce.toString("base64").replace(/=+$/, "")}$${hash.toString("base64").replace(/=+$/, "")}`;
}

/** A hash that no password has: what is computed for an account that does not exist. */
const NOBODY = `${PREFIX}${Buffer.alloc(16).toString("base64").replace(/=+$/, "")}$${Buffer.alloc(32).toString("base64").replace(/=+$/, "")}`;

/** Whether it is the password; computes one hash whether there is an account (`stored`) or not, and whether that has a password or not. */
export async function verifyPassword(password: string, stored: string | null | undefined): Promise<boolean> {
	const [nonce = "", tag = ""] = (stored ?? NOBODY).slice(PREFIX.length).split("$");
	const expected = Buffer.from(tag, "base64");
	const hash = await argon2id(password, Buffer.from(nonce, "base64"));
	return expected.length === hash.length && timingSafeEqual(expected, hash) && typeof stored === "string";
}
