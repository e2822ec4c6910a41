// The HTTP door as ONE table: every path there is, which action answers it, and who may ask. Closed by default: what has
// no row is 404, and a row without an access rule stops the start (router.ts). Fields of a row:
//   path         `:name` is the action's parameter of that name
//   access       "anyone" (no token needed), "signed-in", or the scope that the token must carry
//   status       of a good answer; 200 unless said. 204 has no body
//   limit        which request limit counts it; unless said "read" for GET and "write" for the rest
//   query        parameters taken from the query where the method has a body; GET and DELETE take all theirs from it
//   fixed        parameters that the row sets itself; the client cannot
//   replay       the answer says by `replayed` that it is an older one: 200 instead of `status`, and a header
//   idempotency  "required": 400 without an Idempotency-Key
//   narrow       open to a token that is only good for changing a password
//   oauth        RFC 6749: the body may be a form, refusals are `{error, error_description}`
//   details      the scope without which the answer's `checks` are left out
//   down         the status of an answer that says `status: "down"`
//   location     where the created thing is; `{field}` is the answer's
//   cache        Cache-Control; "no-store" unless said
import type { ActionName } from "../contracts/index.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Scope = `${string}:${string}`;
export type LimitName = "read" | "write" | "auth";

export interface Route {
	readonly method: Method;
	readonly path: string;
	readonly action: ActionName;
	readonly access: "anyone" | "signed-in" | Scope;
	readonly status?: 200 | 201 | 202 | 204;
	readonly limit?: LimitName;
	readonly query?: readonly string[];
	readonly fixed?: Readonly<Record<string, string | number | boolean>>;
	readonly replay?: true;
	readonly idempotency?: "required";
	readonly narrow?: true;
	readonly oauth?: true;
	readonly details?: Scope;
	readonly down?: 503;
	readonly location?: string;
	readonly cache?: string;
}

const PUBLIC = "public, max-age=300";
const OPS = "ops:read";

export const routes: readonly Route[] = [
	// The process and its documents
	{ method: "GET", path: "/live", action: "api.live", access: "anyone" },
	{ method: "GET", path: "/ready", action: "api.ready", access: "anyone", down: 503 },
	{ method: "GET", path: "/api/openapi.json", action: "api.openapi", access: "anyone", cache: PUBLIC },
	{ method: "GET", path: "/api/asyncapi.json", action: "api.asyncapi", access: "anyone", cache: PUBLIC },
	{ method: "GET", path: "/api/api/health", action: "api.health", access: "anyone", details: OPS, down: 503 },
	{ method: "GET", path: "/api/socket/health", action: "socket.health", access: "anyone", details: OPS, down: 503 },
	{ method: "GET", path: "/api/identity/health", action: "identity.health", access: "anyone", details: OPS, down: 503 },
	{ method: "GET", path: "/api/groups/health", action: "groups.health", access: "anyone", details: OPS, down: 503 },
	{ method: "GET", path: "/api/gamification/health", action: "gamification.health", access: "anyone", details: OPS, down: 503 },
	{ method: "GET", path: "/api/presence/health", action: "presence.health", access: "anyone", details: OPS, down: 503 },

	// identity
	{ method: "GET", path: "/.well-known/jwks.json", action: "identity.jwks", access: "anyone", cache: PUBLIC },
	{ method: "GET", path: "/.well-known/openid-configuration", action: "identity.openidConfiguration", access: "anyone", cache: PUBLIC },
	{ method: "POST", path: "/api/auth/register", action: "auth.register", access: "anyone", status: 201, limit: "auth" },
	{ method: "POST", path: "/api/auth/login", action: "auth.login", access: "anyone", limit: "auth" },
	{ method: "POST", path: "/api/auth/token", action: "auth.token", access: "anyone", limit: "auth", oauth: true },
	{ method: "POST", path: "/api/auth/refresh", action: "auth.refresh", access: "anyone", limit: "auth" },
	{ method: "POST", path: "/api/auth/logout", action: "auth.logout", access: "signed-in", status: 204, query: ["all"], narrow: true },
	{ method: "GET", path: "/api/auth/me", action: "auth.me", access: "signed-in", narrow: true },
	{ method: "GET", path: "/api/auth/validate", action: "auth.validate", access: "signed-in" },
	{ method: "GET", path: "/api/auth/availability", action: "auth.availability", access: "anyone", limit: "auth" },
	{ method: "GET", path: "/api/auth/sessions", action: "sessions.list", access: "signed-in" },
	{ method: "DELETE", path: "/api/auth/sessions/:sessionId", action: "sessions.end", access: "signed-in", status: 204 },
	{ method: "GET", path: "/api/profiles", action: "profiles.mine", access: "signed-in" },
	{ method: "GET", path: "/api/profiles/:profileId", action: "profiles.show", access: "signed-in" },

	// groups
	{ method: "GET", path: "/api/groups", action: "groups.mine", access: "signed-in" },
	{ method: "POST", path: "/api/groups", action: "groups.create", access: "signed-in", status: 201, location: "/api/groups/{id}" },
	{ method: "GET", path: "/api/groups/public", action: "groups.public", access: "signed-in" },
	{ method: "GET", path: "/api/groups/:groupId", action: "groups.show", access: "signed-in" },
	{ method: "PATCH", path: "/api/groups/:groupId", action: "groups.edit", access: "signed-in" },
	{ method: "DELETE", path: "/api/groups/:groupId", action: "groups.remove", access: "signed-in", status: 204 },
	{ method: "POST", path: "/api/groups/:groupId/join", action: "groups.join", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/leave", action: "groups.leave", access: "signed-in", status: 204 },
	{ method: "GET", path: "/api/groups/:groupId/members", action: "groups.members", access: "signed-in" },
	{ method: "PATCH", path: "/api/groups/:groupId/members/:profileId", action: "groups.setRole", access: "signed-in" },
	{ method: "DELETE", path: "/api/groups/:groupId/members/:profileId", action: "groups.kick", access: "signed-in", status: 204 },

	// invites
	{ method: "GET", path: "/api/groups/:groupId/invites", action: "invites.ofGroup", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/invites", action: "invites.create", access: "signed-in", status: 201 },
	{ method: "GET", path: "/api/invites", action: "invites.mine", access: "signed-in" },
	{ method: "POST", path: "/api/invites/accept", action: "invites.acceptByToken", access: "signed-in" },
	{ method: "POST", path: "/api/invites/decline", action: "invites.declineByToken", access: "signed-in" },
	{ method: "POST", path: "/api/invites/:inviteId/accept", action: "invites.accept", access: "signed-in" },
	{ method: "POST", path: "/api/invites/:inviteId/decline", action: "invites.decline", access: "signed-in" },

	// messages and the log
	{ method: "GET", path: "/api/groups/:groupId/messages", action: "messages.page", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/messages", action: "messages.post", access: "signed-in", status: 201, replay: true },
	{ method: "GET", path: "/api/groups/:groupId/messages/:seq", action: "messages.show", access: "signed-in" },
	{ method: "PATCH", path: "/api/groups/:groupId/messages/:seq", action: "messages.edit", access: "signed-in" },
	{ method: "DELETE", path: "/api/groups/:groupId/messages/:seq", action: "messages.remove", access: "signed-in", status: 204 },
	{
		method: "PUT",
		path: "/api/groups/:groupId/messages/:seq/reactions/:emoji",
		action: "messages.react",
		access: "signed-in",
		fixed: { remove: false },
	},
	{
		method: "DELETE",
		path: "/api/groups/:groupId/messages/:seq/reactions/:emoji",
		action: "messages.react",
		access: "signed-in",
		status: 204,
		fixed: { remove: true },
	},
	{ method: "GET", path: "/api/groups/:groupId/events", action: "messages.events", access: "signed-in" },
	{ method: "PUT", path: "/api/groups/:groupId/read", action: "messages.read", access: "signed-in" },

	// gamification
	{ method: "GET", path: "/api/gamification/points/me", action: "gamification.myPoints", access: "signed-in" },
	{ method: "GET", path: "/api/gamification/points/:profileId", action: "gamification.pointsOf", access: "signed-in" },
	{ method: "GET", path: "/api/gamification/transactions/me", action: "gamification.transactions", access: "signed-in" },
	{ method: "GET", path: "/api/gamification/rules", action: "gamification.rules", access: "signed-in" },

	// presence
	{ method: "GET", path: "/api/presence", action: "presence.lookup", access: "signed-in" },
];
