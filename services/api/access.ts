// Who asks, and may they: the Bearer token of a request, and the access rule of its row.
import type { IncomingMessage } from "node:http";
import { problem } from "../contracts/errors.ts";
import type { Principal } from "../contracts/index.ts";
import { isNarrow } from "../contracts/scopes.ts";
import type { Route } from "./route.ts";

const BASIC = /^Basic +([A-Za-z0-9+/=_-]+) *$/i;
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/** So long (s) after somebody proved who they are they may do what asks for it anew. */
export const STEP_UP_SECONDS = 300;

export type Verify = (token: string) => Promise<Principal>;

/** The token of the Authorization header; undefined without the header, null where it is none of ours. */
export function bearerOf(req: IncomingMessage): string | null | undefined {
	const header = req.headers.authorization;
	if (header === undefined) return undefined;
	return BEARER.exec(header)?.[1] ?? null;
}

/**
 * What a client says of itself by HTTP Basic, both in form encoding (RFC 6749, 2.3.1); undefined without such a header. What cannot be
 * read is a client that nobody knows.
 */
export function basicOf(req: IncomingMessage): { client_id: string; client_secret: string } | undefined {
	const header = req.headers.authorization;
	if (header === undefined || !/^Basic( |$)/i.test(header)) return undefined;
	const text = Buffer.from(BASIC.exec(header)?.[1] ?? "", "base64").toString("utf8");
	const colon = text.indexOf(":");
	const decoded = (part: string): string => {
		try {
			return decodeURIComponent(part.replaceAll("+", " "));
		} catch {
			return part;
		}
	};
	const [id, secret] = colon === -1 ? ["", ""] : [text.slice(0, colon), text.slice(colon + 1)];
	return { client_id: decoded(id).slice(0, 254) || "?", client_secret: decoded(secret).slice(0, 254) || "?" };
}

/** Throws 401 unauthenticated, 403 needs-person, 403 password-change-required, 403 forbidden, 403 step-up-required. */
export function authorize(row: Route, principal: Principal | undefined): void {
	if (row.access === "anyone") return;
	if (!principal) throw problem("unauthenticated");
	// Account, profile and sessions are a person's: a client has its scopes and nothing else.
	if (row.access === "signed-in" && principal.client) throw problem("needs-person");
	if (!row.narrow && isNarrow(principal.scopes)) throw problem("password-change-required");
	if (row.access !== "signed-in" && !principal.scopes.includes(row.access)) throw problem("forbidden");
	if (!row.stepUp) return;
	// Nor can a client say once more who it is.
	if (principal.client) throw problem("needs-person");
	if (!isFresh(principal.authTime)) throw problem("step-up-required");
}

/** A token of the version before does not say when: that is too long ago. */
const isFresh = (authTime: number | undefined): boolean =>
	authTime !== undefined && Math.floor(Date.now() / 1000) - authTime <= STEP_UP_SECONDS;
