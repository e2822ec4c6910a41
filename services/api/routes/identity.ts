// Accounts, tokens, sessions and profiles.
import type { Route } from "../route.ts";

const PUBLIC = "public, max-age=300";
/** Which sign-ins a browser has begun at an issuer. */
const FLOWS = { name: "reloop_oidc", param: "flows", path: "/api/auth/oidc", seconds: 600 } as const;
/** Standard Webhooks; the first three by the names of who sends most of them. */
const SIGNED = ["svix-id", "svix-timestamp", "svix-signature", "webhook-id", "webhook-timestamp", "webhook-signature"];

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

	// identities at issuers
	{ method: "POST", path: "/api/auth/federated", action: "federation.signIn", access: "anyone", limit: "auth" },
	{ method: "GET", path: "/api/auth/federated", action: "federation.list", access: "signed-in" },
	{
		method: "POST",
		path: "/api/auth/federated/link",
		action: "federation.link",
		access: "signed-in",
		status: 201,
		limit: "auth",
		stepUp: true,
	},
	{
		method: "DELETE",
		path: "/api/auth/federated/:identityId",
		action: "federation.unlink",
		access: "signed-in",
		status: 204,
		stepUp: true,
	},
	{ method: "GET", path: "/api/auth/oidc", action: "federation.providers", access: "anyone" },
	{
		method: "GET",
		path: "/api/auth/oidc/:provider/start",
		action: "federation.start",
		access: "anyone",
		limit: "auth",
		redirect: true,
		cookie: FLOWS,
	},
	{
		method: "GET",
		path: "/api/auth/oidc/:provider/callback",
		action: "federation.callback",
		access: "anyone",
		limit: "auth",
		redirect: true,
		cookie: FLOWS,
		loose: true,
	},
	{ method: "POST", path: "/api/auth/oidc/exchange", action: "federation.exchange", access: "anyone", limit: "auth" },
	{ method: "POST", path: "/api/webhooks/clerk", action: "federation.clerk", access: "anyone", status: 204, raw: SIGNED },

	{ method: "GET", path: "/api/auth/mfa", action: "mfa.status", access: "signed-in" },
	{ method: "POST", path: "/api/auth/mfa/login", action: "mfa.login", access: "anyone", limit: "auth" },
	{ method: "POST", path: "/api/auth/mfa/totp", action: "mfa.enrolTotp", access: "signed-in", status: 201, stepUp: true },
	{ method: "POST", path: "/api/auth/mfa/totp/confirm", action: "mfa.confirmTotp", access: "signed-in", stepUp: true },
	{ method: "DELETE", path: "/api/auth/mfa/totp", action: "mfa.removeTotp", access: "signed-in", status: 204, body: true, stepUp: true },
	{ method: "POST", path: "/api/auth/mfa/recovery-codes", action: "mfa.renewRecoveryCodes", access: "signed-in", stepUp: true },
	{ method: "POST", path: "/api/auth/mfa/passkeys/options", action: "passkeys.enrolOptions", access: "signed-in", stepUp: true },
	{ method: "POST", path: "/api/auth/mfa/passkeys", action: "passkeys.enrol", access: "signed-in", status: 201, stepUp: true },
	{ method: "GET", path: "/api/auth/mfa/passkeys", action: "passkeys.list", access: "signed-in" },
	{
		method: "DELETE",
		path: "/api/auth/mfa/passkeys/:passkeyId",
		action: "passkeys.remove",
		access: "signed-in",
		status: 204,
		stepUp: true,
	},
	{ method: "POST", path: "/api/auth/passkeys/options", action: "passkeys.options", access: "anyone", limit: "auth" },
	{ method: "POST", path: "/api/auth/passkeys/login", action: "passkeys.login", access: "anyone", limit: "auth" },
	{ method: "POST", path: "/api/auth/step-up", action: "mfa.stepUp", access: "signed-in", limit: "auth" },
	{ method: "GET", path: "/api/profiles", action: "profiles.mine", access: "signed-in" },
	{ method: "GET", path: "/api/profiles/:profileId", action: "profiles.show", access: "signed-in" },
];
