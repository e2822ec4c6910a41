// The one registry of rights: which role carries which scopes. Routes and socket events name scopes, never roles.
import type { Account, Profile } from "../../contracts/identity.ts";

/** What a token may do whose account must change its password first. */
export const NARROW = "account:password";

export const scopesOfRole: Record<Account["role"], readonly string[]> = {
	user: ["account:own"],
	viewer: ["account:own"],
	moderator: ["account:own"],
	government: ["account:own"],
	admin: ["account:own", "ops:read"],
};

/** The scopes of a token: those of the account's role, or the one narrow scope. */
export function scopesOf(account: Pick<Account, "role" | "state">): readonly string[] {
	return account.state === "mustChangePassword" ? [NARROW] : scopesOfRole[account.role];
}

/** The roles of a token: the account's role and the active profile's kind. */
export const rolesOf = (account: Pick<Account, "role">, profile: Pick<Profile, "kind">): string[] => [account.role, profile.kind];
