// What a client may be given, and what it may ask for. Pure.
import { scopesOfRole } from "../../contracts/scopes.ts";

/** Scopes that hang on an account's role. Those of a profile's kind are of no use without a profile, and no client has one. */
const ofRoles: ReadonlySet<string> = new Set(Object.values(scopesOfRole).flat());

/** The scopes a caller may not give to a client: those that they do not have, and those that no role has. */
export const notTheirs = (scopes: readonly string[], caller: { scopes: readonly string[] }): string[] =>
	scopes.filter((scope) => !caller.scopes.includes(scope) || !ofRoles.has(scope));

/** What a client is granted of what it asks for (RFC 6749, 3.3), all it has where it asks for nothing; null where it asks for more. */
export function granted(scopes: readonly string[], asked: string | undefined): readonly string[] | null {
	const wanted = [...new Set((asked ?? "").split(" ").filter(Boolean))];
	if (wanted.length === 0) return scopes;
	return wanted.every((scope) => scopes.includes(scope)) ? wanted : null;
}
