// What follows from the registry of rights (contracts/scopes.ts): what a token carries, and who may do something to whom. Pure.
import type { Account, Profile } from "../../contracts/identity.ts";
import type { AccountRole, Scope } from "../../contracts/scopes.ts";
import { NARROW, scopesOfKind, scopesOfRole } from "../../contracts/scopes.ts";

/** The scopes of a token: those of the account's role and of the active profile's kind, or the one narrow scope. */
export function scopesOf(account: Pick<Account, "role" | "state">, profile: Pick<Profile, "kind">): readonly Scope[] {
	if (account.state === "mustChangePassword") return [NARROW];
	return [...new Set([...scopesOfRole[account.role], ...scopesOfKind[profile.kind]])];
}

/** The roles of a token: the account's role and the active profile's kind. */
export const rolesOf = (account: Pick<Account, "role">, profile: Pick<Profile, "kind">): string[] => [account.role, profile.kind];

/** Nobody gives more than they have: whoever carries `scopes` may give a role that carries no other. */
export const mayGive = (scopes: readonly string[], role: AccountRole): boolean =>
	scopesOfRole[role].every((scope) => scopes.includes(scope));

/** What any role carries: who has all of it is above everybody, and on a level with their like. */
const all = [...new Set(Object.values(scopesOfRole).flat())];

/** May whoever carries `scopes` do something to an account of this role? It is below them: or they have all there is. */
export function outranks(scopes: readonly string[], role: AccountRole): boolean {
	const own = all.filter((scope) => scopes.includes(scope));
	return mayGive(own, role) && (own.length > scopesOfRole[role].length || own.length === all.length);
}
