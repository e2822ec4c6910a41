// Passkeys (WebAuthn): what a browser is asked, and whether what it answers is right. Who this site is follows from PUBLIC_URL;
// pages of CORS_ORIGINS may ask too, where the browser finds their domain to be of ours.
import { randomBytes } from "node:crypto";
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";
import { decodeAttestationObject } from "@simplewebauthn/server/helpers";
import type { Tx } from "../../../mixins/node.ts";
import { newId, perBroker, settings } from "../../../mixins/node.ts";
import { allowedOrigins } from "../../../mixins/origins.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { AuthenticationResponse, CreationOptions, RegistrationResponse, RequestOptions } from "../../contracts/webauthn.ts";
import { CHALLENGE_SECONDS, wentBack } from "../domain/mfa.ts";
import type { AccountRow } from "../store/accounts.ts";
import { holdAccount } from "../store/accounts.ts";
import { addAudit } from "../store/audit.ts";
import type { PasskeyRow, Purpose } from "../store/passkeys.ts";
import { credentialsOf, insertChallenge, lockPasskey, ownerOfCredential, takeChallenge, usedPasskey } from "../store/passkeys.ts";

type AnyCtx = Ctx<unknown>;

const site = perBroker((broker) => ({ id: new URL(settings(broker).PUBLIC_URL).hostname, origins: allowedOrigins(broker) }));

/** What every answer of an authenticator must fit. */
const expected = (ctx: AnyCtx, challenge: string) => {
	const { id, origins } = site(ctx.broker);
	return { expectedChallenge: challenge, expectedOrigin: origins, expectedRPID: id, requireUserVerification: true };
};
/** An answer without what browsers add and nobody here reads. */
const plain = <R extends object>(response: R) => ({ ...response, clientExtensionResults: {}, authenticatorAttachment: undefined });

/** Ed25519, ECDSA with P-256, RSA with SHA-256: what authenticators have. */
const ALGORITHMS = [-8, -7, -257];
const TIMEOUT_MS = CHALLENGE_SECONDS * 1000;

/** What a browser calls the account: its id as bytes. It is no secret, and says nothing of the person. */
const handleOf = (accountId: string): string => Buffer.from(accountId.replaceAll("-", ""), "hex").toString("base64url");

async function newChallenge(tx: Tx, purpose: Purpose, accountId: string | null, now: Date): Promise<string> {
	const challenge = randomBytes(32).toString("base64url");
	await insertChallenge(tx, challenge, { purpose, accountId, expiresAt: new Date(now.getTime() + CHALLENGE_SECONDS * 1000) });
	return challenge;
}

async function descriptors(tx: Tx, accountId: string): Promise<RequestOptions["allowCredentials"]> {
	return (await credentialsOf(tx, accountId)).map((credential) => ({ ...credential, type: "public-key" }));
}

/** For `navigator.credentials.create`. */
export async function creationFor(
	tx: Tx,
	ctx: AnyCtx,
	account: { id: string; email: string },
	displayName: string,
	now: Date,
): Promise<CreationOptions> {
	return {
		challenge: await newChallenge(tx, "create", account.id, now),
		rp: { id: site(ctx.broker).id, name: "Reloop" },
		user: { id: handleOf(account.id), name: account.email, displayName },
		pubKeyCredParams: ALGORITHMS.map((alg) => ({ alg, type: "public-key" })),
		timeout: TIMEOUT_MS,
		attestation: "none",
		excludeCredentials: await descriptors(tx, account.id),
		authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
	};
}

/** For `navigator.credentials.get`: with an account its passkeys, without one whichever the person chooses. */
export async function requestFor(tx: Tx, ctx: AnyCtx, accountId: string | null, now: Date): Promise<RequestOptions> {
	return {
		challenge: await newChallenge(tx, "get", accountId, now),
		rpId: site(ctx.broker).id,
		timeout: TIMEOUT_MS,
		userVerification: "required",
		allowCredentials: accountId ? await descriptors(tx, accountId) : [],
	};
}

/** The challenge that a response says it signed; undefined where it says none, or comes out of another page's frame. */
function challengeIn(clientDataJSON: string): string | undefined {
	try {
		const { challenge, crossOrigin } = JSON.parse(Buffer.from(clientDataJSON, "base64url").toString("utf8"));
		return typeof challenge === "string" && crossOrigin !== true ? challenge : undefined;
	} catch {
		return undefined;
	}
}

/**
 * A certificate proves who made the device. We ask for none, and look at none: a chain of a stranger's would have the library
 * fetch whatever address stands in it.
 */
function bringsCertificates(attestationObject: string): boolean {
	try {
		const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, "base64url")));
		return !["none", "packed"].includes(decoded.get("fmt")) || decoded.get("attStmt").get("x5c") !== undefined;
	} catch {
		return true;
	}
}

/** The passkey that a browser has made for this account. The challenge is used up. Answers what is wrong with it as a sentence. */
export async function passkeyMade(
	tx: Tx,
	ctx: AnyCtx,
	accountId: string,
	response: RegistrationResponse,
	now: Date,
): Promise<Omit<PasskeyRow, "name"> | string> {
	const challenge = challengeIn(response.response.clientDataJSON);
	const asked = challenge === undefined ? undefined : await takeChallenge(tx, challenge, "create", now);
	if (challenge === undefined || asked?.accountId !== accountId) return "does not sign a challenge that is open: ask for options anew";
	if (bringsCertificates(response.response.attestationObject)) return "brings an attestation that was not asked for";
	try {
		const { verified, registrationInfo } = await verifyRegistrationResponse({
			response: plain(response) as Parameters<typeof verifyRegistrationResponse>[0]["response"],
			...expected(ctx, challenge),
			supportedAlgorithmIDs: ALGORITHMS,
		});
		if (!verified) return "is not signed as it should be";
		const { credential, credentialBackedUp } = registrationInfo;
		return {
			id: newId(),
			accountId,
			credentialId: credential.id,
			publicKey: Buffer.from(credential.publicKey),
			counter: credential.counter,
			transports: response.response.transports ?? [],
			backedUp: credentialBackedUp,
			createdAt: now.toISOString(),
			lastUsedAt: null,
		};
	} catch {
		return "is not for this site, or not verified by its device";
	}
}

/**
 * The account whose passkey has signed; null for everything that is wrong, unknown passkeys and accounts included. The challenge
 * is used up either way: the caller commits, and refuses then.
 */
export async function accountOfPasskey(tx: Tx, ctx: AnyCtx, response: AuthenticationResponse, now: Date): Promise<AccountRow | null> {
	const challenge = challengeIn(response.response.clientDataJSON);
	const asked = challenge === undefined ? undefined : await takeChallenge(tx, challenge, "get", now);
	const accountId = await ownerOfCredential(tx, response.id);
	if (challenge === undefined || !asked || !accountId) return null;
	if (asked.accountId !== null && asked.accountId !== accountId) return null;
	const { userHandle } = response.response;
	if (userHandle && userHandle !== handleOf(accountId)) return null;
	// The account before the passkey, as whoever removes an account takes them.
	const account = await holdAccount(tx, accountId);
	const passkey = await lockPasskey(tx, response.id);
	if (!account || !passkey) return null;
	const use = await verified(ctx, passkey, response, challenge);
	if (!use) return null;
	if (wentBack(passkey.counter, use.counter)) {
		const detail = { passkey: passkey.id, stored: passkey.counter, given: use.counter, address: ctx.address };
		await addAudit(tx, { actor: null, action: "passkey.cloned", target: account.id, requestId: ctx.requestId, detail }, now);
		return null;
	}
	await usedPasskey(tx, passkey.id, use.counter, use.backedUp, now);
	return account;
}

/** What a right signature says of its passkey. */
async function verified(
	ctx: AnyCtx,
	{ credentialId, publicKey }: PasskeyRow,
	response: AuthenticationResponse,
	challenge: string,
): Promise<{ counter: number; backedUp: boolean } | undefined> {
	try {
		const { verified, authenticationInfo } = await verifyAuthenticationResponse({
			response: plain(response) as Parameters<typeof verifyAuthenticationResponse>[0]["response"],
			...expected(ctx, challenge),
			// Its count is looked at when the signature is known to be right: what is not signed is nobody's count.
			credential: { id: credentialId, publicKey: new Uint8Array(publicKey), counter: 0 },
		});
		return verified ? { counter: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp } : undefined;
	} catch {
		return undefined;
	}
}
