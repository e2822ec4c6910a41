// Keys for one purpose each, derived from SECRET_KEY: what one is good for tells nothing about another.
import { hkdfSync } from "node:crypto";

/** 32 bytes. `secretKey` is SECRET_KEY as the environment has it, `purpose` a sentence that no other place uses. */
export const keyFor = (secretKey: string, purpose: string): Buffer =>
	Buffer.from(hkdfSync("sha256", Buffer.from(secretKey, "base64"), "", `reloop: ${purpose}`, 32));
