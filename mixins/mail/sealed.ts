// A mail that waits holds an address and perhaps a code: whoever reads the table of jobs shall be able to use neither.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** @param id what the text belongs to: under another name it does not open */
export function seal(key: Buffer, text: string, id: string): string {
	const nonce = randomBytes(12);
	const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(id));
	const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
	return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

export function unseal(key: Buffer, text: string, id: string): string {
	const sealed = Buffer.from(text, "base64");
	const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12)).setAAD(Buffer.from(id)).setAuthTag(sealed.subarray(12, 28));
	return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString("utf8");
}
