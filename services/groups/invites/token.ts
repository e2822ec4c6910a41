// The token of an invite: its id, and a proof that we gave it out. Nothing of it is kept anywhere.
import { createHmac, timingSafeEqual } from "node:crypto";

const PROOF_BYTES = 18;

const proofOf = (key: Buffer, id: Buffer): Buffer => createHmac("sha256", key).update(id).digest().subarray(0, PROOF_BYTES);

/** @param inviteId a UUID */
export function inviteToken(key: Buffer, inviteId: string): string {
	const id = Buffer.from(inviteId.replaceAll("-", ""), "hex");
	return Buffer.concat([id, proofOf(key, id)]).toString("base64url");
}

/** The invite's id; undefined where the token is none of ours. */
export function inviteOf(key: Buffer, token: string): string | undefined {
	const bytes = Buffer.from(token, "base64url");
	if (bytes.length !== 16 + PROOF_BYTES || bytes.toString("base64url") !== token) return undefined;
	const [id, proof] = [bytes.subarray(0, 16), bytes.subarray(16)];
	if (!timingSafeEqual(proof, proofOf(key, id))) return undefined;
	return id.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
