// What Clerk's webhook says, in our words. Pure.
import { problem } from "../../contracts/errors.ts";
import type { Claimed } from "./federation.ts";
import { claimed, withoutSlash } from "./federation.ts";

export type ClerkEvent =
	| { kind: "said"; who: Claimed /** Of two that speak of one person the higher counts; ms since 1970. */; version: number }
	| { kind: "deleted"; who: Pick<Claimed, "issuer" | "subject"> };

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const wrong = (path: string) => problem("validation", { errors: [{ path, code: "type", message: "is not what Clerk sends" }] });

/** Null for an event that is none of ours. Throws 422 `validation`. */
export function readClerkEvent(sent: unknown, issuer: string): ClerkEvent | null {
	if (!isObject(sent) || typeof sent.type !== "string") throw wrong("type");
	const { type, data } = sent;
	if (type !== "user.created" && type !== "user.updated" && type !== "user.deleted") return null;
	if (!isObject(data) || typeof data.id !== "string" || data.id === "" || data.id.length > 255) throw wrong("data.id");
	const subject = data.id;
	if (type === "user.deleted") return { kind: "deleted", who: { issuer: withoutSlash(issuer), subject } };
	const version = data.updated_at;
	if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 0) throw wrong("data.updated_at");
	const { first_name, last_name, username } = data;
	const names = { given_name: first_name, family_name: last_name, preferred_username: username };
	return { kind: "said", who: claimed(issuer, subject, { ...primaryEmail(data), ...names }), version };
}

function primaryEmail({ email_addresses: all, primary_email_address_id: primary }: Json): Json {
	const addresses = Array.isArray(all) ? all.filter(isObject) : [];
	const found = addresses.find(({ id }) => id === primary);
	const status = isObject(found?.verification) ? found.verification.status : undefined;
	return { email: found?.email_address, email_verified: status === "verified" };
}
