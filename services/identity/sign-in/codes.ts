// Codes as second factors: those of an authenticator app, and recovery codes. How often they may be guessed.
import { createHmac, randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { limitKey } from "../../../mixins/address.ts";
import type { Tx } from "../../../mixins/node.ts";
import { perBroker, settings } from "../../../mixins/node.ts";
import { keyFor } from "../../../mixins/secret.ts";
import { problem } from "../../contracts/errors.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { CodeKind } from "../domain/mfa.ts";
import { codeLimitsTimes, codesWait, plainCode, RECOVERY_CODES, recoveryCode, STEP_MS, STEPS_AROUND, stepOf } from "../domain/mfa.ts";
import { seal, unseal } from "./signing.ts";
import {
	addWrongCode,
	factorsOf,
	findTotp,
	forgetWrongCodes,
	lockFactors,
	replaceRecoveryCodes,
	useRecoveryCode,
	useStep,
	wrongCodes,
} from "../store/second-factors.ts";
import { tellOwner } from "../mail/tell-owner.ts";

type AnyCtx = Ctx<unknown>;

const ISSUER = "Reloop";

/** What seals the secrets of authenticator apps, and what recognises recovery codes: neither is in the database. */
const keys = perBroker((broker) => {
	const { SECRET_KEY, RATE_LIMIT_FACTOR } = settings(broker);
	return {
		totp: keyFor(SECRET_KEY, "secrets of authenticator apps"),
		recovery: keyFor(SECRET_KEY, "recovery codes of accounts"),
		limits: codeLimitsTimes(RATE_LIMIT_FACTOR),
	};
});

const nameOf = (accountId: string): string => `totp ${accountId}`;
const appOf = (secret: Secret, email = ""): TOTP =>
	new TOTP({ issuer: ISSUER, label: email, secret, algorithm: "SHA1", digits: 6, period: STEP_MS / 1000 });

/** A new secret of an authenticator app: in base32, as a URI, and as it is stored. */
export function newSecret(ctx: AnyCtx, accountId: string, email: string): { secret: string; uri: string; sealed: Buffer } {
	const secret = new Secret({ size: 20 });
	return {
		secret: secret.base32,
		uri: appOf(secret, email).toString(),
		sealed: seal(keys(ctx.broker).totp, secret.base32, nameOf(accountId)),
	};
}

/** Uses up a code of the account's authenticator app, confirmed or not; false where it is wrong or was used before. */
export async function useTotp(tx: Tx, ctx: AnyCtx, accountId: string, code: string, now: Date): Promise<boolean> {
	const row = await findTotp(tx, accountId);
	if (!row) return false;
	const app = appOf(Secret.fromBase32(unseal(keys(ctx.broker).totp, row.secretSealed, nameOf(accountId))));
	const delta = app.validate({ token: code.replace(/[\s-]/g, ""), timestamp: now.getTime(), window: STEPS_AROUND });
	return delta !== null && useStep(tx, accountId, stepOf(now) + delta, stepOf(now) - STEPS_AROUND);
}

const recoveryHash = (ctx: AnyCtx, accountId: string, code: string): Buffer =>
	createHmac("sha256", keys(ctx.broker).recovery)
		.update(`${accountId} ${plainCode(code)}`)
		.digest();

/** Ten new codes in the place of whatever there was. */
export async function makeRecoveryCodes(tx: Tx, ctx: AnyCtx, accountId: string): Promise<string[]> {
	const codes = new Set<string>();
	while (codes.size < RECOVERY_CODES) codes.add(recoveryCode(randomBytes(10)));
	await replaceRecoveryCodes(
		tx,
		accountId,
		[...codes].map((code) => recoveryHash(ctx, accountId, code)),
	);
	return [...codes];
}

/**
 * Whether the code is good, which uses it up. A wrong one is counted: the caller commits, and refuses then. Locks the account's
 * factors. Throws 429 `rate-limited`.
 */
export async function proveByCode(tx: Tx, ctx: AnyCtx, accountId: string, kind: CodeKind, code: string, now: Date): Promise<boolean> {
	await lockFactors(tx, accountId);
	const { limits } = keys(ctx.broker);
	const key = limitKey(ctx.address);
	const wrong = await wrongCodes(tx, accountId, { address: ctx.address, key }, limits, now);
	const wait = codesWait(kind, wrong, limits, now);
	if (wait > 0) throw problem("rate-limited", { retryAfter: wait });
	if (!(await isRight(tx, ctx, accountId, kind, code, now))) {
		await addWrongCode(tx, accountId, key, kind, now);
		// Whoever guesses has had the password before.
		if (kind === "totp" && wrong.day.count + 1 === limits.day) await tellOwner(ctx.broker, tx, accountId, "codesTried", {});
		return false;
	}
	if (kind === "recovery")
		await tellOwner(ctx.broker, tx, accountId, "recoveryUsed", { left: (await factorsOf(tx, accountId)).recoveryCodes });
	await forgetWrongCodes(tx, accountId, key);
	return true;
}

async function isRight(tx: Tx, ctx: AnyCtx, accountId: string, kind: CodeKind, code: string, now: Date): Promise<boolean> {
	if (kind === "recovery") return useRecoveryCode(tx, accountId, recoveryHash(ctx, accountId, code));
	// One that is still being set up proves nothing yet.
	const confirmed = (await findTotp(tx, accountId))?.confirmedAt;
	return confirmed != null && useTotp(tx, ctx, accountId, code, now);
}
