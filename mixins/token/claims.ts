// What an access token says, and whom it makes of that.
import { problem } from "../../services/contracts/errors.ts";
import type { Principal } from "../../services/contracts/index.ts";
import type { Seals } from "../principal.ts";

/** Who a token speaks for, and until when (seconds since 1970). */
export type Verified = Principal & { readonly exp: number /** The key that signed it. */; readonly kid: string };

export const ALGORITHM = "RS256";
export const TOKEN_TYPE = "at+jwt";
export const AUDIENCE = "reloop";
/** Clocks of two machines may differ by so much, in seconds. */
export const CLOCK_TOLERANCE = 5;

export interface AccessClaims {
	sub: string;
	sid: string;
	jti: string;
	iat: number;
	exp: number;
	name: string;
	/** Of a person's token: who they are just now. */
	profile: string;
	/** Of a client's token instead (RFC 9068): the client itself, as `sub`. */
	client_id: string;
	roles: string[];
	scope: string;
	/** Tokens that were made before there was a second factor have neither. */
	auth_time?: number;
	acr?: string;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Throws 401 where something is missing, or of the wrong kind. Says nothing of whether the token is still alive. */
export function toPrincipal(claims: Partial<AccessClaims>, kid: string, seals: Pick<Seals, "seal">): Verified {
	const { sub, sid, jti, iat, exp, name, client_id, roles, scope, auth_time: authTime, acr } = claims;
	const isClient = client_id !== undefined;
	const profile = isClient ? client_id : claims.profile;
	if (
		!isText(sub) ||
		!isText(sid) ||
		!isText(jti) ||
		!isText(profile) ||
		(isClient && (client_id !== sub || claims.profile !== undefined)) ||
		!isText(name) ||
		typeof exp !== "number" ||
		typeof iat !== "number" ||
		iat - CLOCK_TOLERANCE > Date.now() / 1000 ||
		!Array.isArray(roles) ||
		typeof scope !== "string" ||
		(authTime === undefined) !== (acr === undefined) ||
		(authTime !== undefined && typeof authTime !== "number") ||
		(acr !== undefined && !isText(acr))
	)
		throw problem("invalid-token");
	const scopes = scope.split(" ").filter(Boolean);
	const token = { jti, iat };
	// Sealed and frozen here, once: it is passed with every call.
	const strength = authTime === undefined || acr === undefined ? {} : { authTime, acr };
	const who = { accountId: sub, sessionId: sid, profileId: profile, displayName: name, roles, scopes, token, ...strength };
	const sealed = seals.seal(isClient ? { ...who, client: true } : who, exp);
	return Object.freeze({ ...sealed, exp, kid });
}
