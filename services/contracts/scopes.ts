// The one registry of rights, as one table: what each scope opens, and which roles of accounts and kinds of profiles carry it.
// Routes and socket events name scopes, never roles; a name that is not here does not compile. What it comes to, route by route
// and role by role, is in test/service/access-matrix.md.
import type { Account, Profile } from "./identity.ts";
import { accountRole, profileKind } from "./identity.ts";

export type AccountRole = Account["role"];
export type ProfileKind = Profile["kind"];

interface ScopeRow {
	/** One sentence: what it opens. */
	readonly means: string;
	/** Who carries it: somebody does. */
	readonly of: readonly [AccountRole | ProfileKind | "mustChangePassword", ...(AccountRole | ProfileKind)[]];
}

export const scopes = {
	"account:own": { means: "Use the platform as oneself.", of: ["user", "viewer", "moderator", "government", "admin"] },
	"account:password": {
		means: "Change the password, and nothing else: all there is for an account that must.",
		of: ["mustChangePassword"],
	},
	"store:write": { means: "Keep the stores that one owns or works in.", of: ["organization", "employee"] },
	"product:write": { means: "Sell: keep one's own products.", of: ["organization"] },
	"users:read": { means: "Find accounts, see their state, profiles and sessions.", of: ["moderator", "admin"] },
	"users:write": { means: "Change accounts below one's own; ban, trash and restore them; end their sessions.", of: ["moderator", "admin"] },
	"users:purge": { means: "Erase an account for good.", of: ["admin"] },
	"roles:read": { means: "See this registry.", of: ["admin"] },
	"roles:write": { means: "Give accounts below one's own a role that carries no more than one has.", of: ["moderator", "admin"] },
	"audit:read": { means: "Read who did what to accounts.", of: ["admin"] },
	"clients:write": { means: "Register other services that may ask for tokens.", of: ["admin"] },
	"terms:write": { means: "Publish terms of service.", of: ["admin"] },
	"groups:moderate": { means: "See what was reported in any group, and delete messages there.", of: ["moderator", "admin"] },
	"notifications:send": { means: "Tell people something: some, or everybody.", of: ["admin"] },
	"ops:read": { means: "See how the processes and their parts are.", of: ["admin"] },
} as const satisfies Record<`${string}:${string}`, ScopeRow>;

export type Scope = keyof typeof scopes;
export const scopeNames = Object.keys(scopes) as Scope[];
export const isScope = (name: string): name is Scope => Object.hasOwn(scopes, name);

/** What a token may do whose account must change its password first. */
export const NARROW = "account:password" satisfies Scope;
/** Is this a token that is good for nothing but changing the password? */
export const isNarrow = (carried: readonly string[]): boolean => carried.length === 1 && carried[0] === NARROW;

/** Who may ask: a row of the routes table or the socket table says it. */
export type Access = "anyone" | "signed-in" | Scope;

const carriedBy = (who: AccountRole | ProfileKind): Scope[] =>
	scopeNames.filter((scope) => (scopes[scope].of as readonly string[]).includes(who));
function tableOf<K extends AccountRole | ProfileKind>(names: readonly K[]): Readonly<Record<K, readonly Scope[]>> {
	const table = {} as Record<K, readonly Scope[]>;
	for (const name of names) table[name] = carriedBy(name);
	return table;
}

/** The table read the other way round. */
export const scopesOfRole = tableOf(accountRole.values);
export const scopesOfKind = tableOf(profileKind.values);
