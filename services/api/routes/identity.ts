// Accounts, tokens, sessions and profiles.
import type { Route } from "../route.ts";

const PUBLIC = "public, max-age=300";

export const identity: readonly Route[] = [
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
];
