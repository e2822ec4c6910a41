// The Idempotency-Key header: its form, and the fingerprint of what was asked with it. The row behind it is written by the
// node that does the work (mixins/idempotency.ts).
import { createHmac } from "node:crypto";
import { problem } from "../contracts/errors.ts";

const TEXT = /^[\x21\x23-\x7e]{1,255}$/;
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** The key: a structured string (`"…"`) or the bare characters, 1 to 255 of them. Throws 400 idempotency-key-malformed. */
export function parseKey(header: string): string {
	const quoted = QUOTED.exec(header);
	const key = quoted ? (quoted[1] as string).replace(/\\(["\\])/g, "$1") : header;
	if (key.length < 1 || key.length > 255 || !(quoted || TEXT.test(key))) throw problem("idempotency-key-malformed");
	return key;
}

/**
 * The fingerprint of the parameters: equal for equal JSON values whatever the order of their fields. It is keyed, because
 * it is stored and a body may hold a password.
 */
export function fingerprint(secret: Buffer, params: unknown): string {
	return createHmac("sha256", secret).update(canonical(params)).digest("base64url");
}

/** JSON with the fields of every object in one order. */
export function canonical(value: unknown): string {
	if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
	if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
	const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
	fields.sort(([a], [b]) => (a < b ? -1 : 1));
	return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
}
