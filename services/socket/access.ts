// Who may connect and say what: by the scopes of the socket's token, and the access rule of the event's row.
import { problem } from "../contracts/errors.ts";
import type { Principal } from "../contracts/index.ts";
import type { Access } from "../contracts/scopes.ts";
import { isNarrow } from "../contracts/scopes.ts";

/** Throws 403 password-change-required for a token that is good for nothing else. */
export function mayConnect({ scopes }: Pick<Principal, "scopes">): void {
	if (isNarrow(scopes)) throw problem("password-change-required");
}

/** Throws 403 forbidden. */
export function maySay(access: Access, { scopes }: Pick<Principal, "scopes">): void {
	if (access !== "signed-in" && !scopes.includes(access)) throw problem("forbidden");
}
