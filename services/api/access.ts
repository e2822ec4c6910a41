// Who asks, and may they: the Bearer token of a request, and the access rule of its row.
import type { IncomingMessage } from "node:http";
import { problem } from "../contracts/errors.ts";
import type { Principal } from "../contracts/index.ts";
import { isNarrow } from "../contracts/scopes.ts";
import type { Route } from "./route.ts";

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

/** Throws 401 unauthenticated, 403 password-change-required, 403 forbidden, 403 step-up-required. */
export function authorize(row: Route, principal: Principal | undefined): void {
	if (row.access === "anyone") return;
	if (!principal) throw problem("unauthenticated");
	if (!row.narrow && isNarrow(principal.scopes)) throw problem("password-change-required");
	if (row.access !== "signed-in" && !principal.scopes.includes(row.access)) throw problem("forbidden");
	if (row.stepUp && !isFresh(principal.authTime)) throw problem("step-up-required");
}

/** A token of the version before does not say when: that is too long ago. */
const isFresh = (authTime: number | undefined): boolean =>
	authTime !== undefined && Math.floor(Date.now() / 1000) - authTime <= STEP_UP_SECONDS;
