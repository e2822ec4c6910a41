// Accounts, tokens, sessions, profiles; and looking after accounts.
import { randomUUID } from "node:crypto";
import { decodeJwt } from "jose";
import type { AccountRole } from "../../../services/contracts/scopes.ts";
import type { Person } from "../client.ts";
import { http, person } from "../client.ts";
import { account, signIn } from "./callers.ts";
import type { Case, Cases, Values } from "./case.ts";
import { client, terms, WORDS } from "./made.ts";

const someone = () => ({ email: `${randomUUID()}@example.org`, password: "circular things", displayName: "Kim" });
const sidOf = (token: string) => decodeJwt(token).sid as string;

/** What is done to accounts: of each rank that counts, in the state in which it can be done. */
const toAccounts = (values: Values = {}, state?: string): Case => {
	const of = (role: AccountRole) => async () => ({ userId: await account(role, state), ...values });
	return {
		oneself: (me) => ({ userId: me.accountId, ...values }),
		"a user": of("user"),
		"a moderator": of("moderator"),
		"an admin": of("admin"),
	};
};

/** The id of a session that somebody has besides. */
const further = async (url: string, who: Person) => sidOf((await signIn(url, { ...who })).accessToken);

/** The job of somebody's export. */
const exportOf = async ({ post }: Person): Promise<string> => (await post("/api/auth/me/export")).body.id ?? randomUUID();

/** A profile that somebody has besides. */
async function anotherProfile(url: string, who: Person): Promise<string> {
	const body = { displayName: "Another", kind: "consumer" };
	const { accessToken } = await signIn(url, { ...who });
	return (await http(url, "/api/profiles", { body, token: accessToken })).body.id ?? randomUUID();
}

export const identity: Cases = {
	"GET /.well-known/jwks.json": {},
	"GET /.well-known/openid-configuration": {},
	"POST /api/auth/register": { any: someone },
	"POST /api/auth/login": { any: async (me) => ({ email: me.email, password: me.password }) },
	"POST /api/auth/token": { any: (me) => ({ grant_type: "password", username: me.email, password: me.password }) },
	"POST /api/auth/refresh": { any: async (_me, _other, url) => ({ refreshToken: (await person(url, "Someone")).refreshToken }) },
	"POST /api/auth/logout": {},
	"GET /api/auth/me": {},
	"PATCH /api/auth/me": { any: () => ({ language: "ku" }) },
	"DELETE /api/auth/me": { any: () => ({ password: "not this one" }) },
	"POST /api/auth/me/export": {},
	"GET /api/auth/me/export": {},
	"GET /api/exports/:exportId": { any: () => ({ exportId: randomUUID(), key: "x" }) },
	"GET /api/jobs/:jobId": {
		own: async (me) => ({ jobId: await exportOf(me) }),
		foreign: async (_me, other) => ({ jobId: await exportOf(other) }),
	},
	"GET /api/auth/validate": {},
	"GET /api/auth/availability": { any: () => ({ email: "somebody@example.org" }) },
	"GET /api/auth/sessions": {},
	"DELETE /api/auth/sessions/:sessionId": {
		own: async (me, _other, url) => ({ sessionId: await further(url, me) }),
		foreign: (_me, other) => ({ sessionId: sidOf(other.accessToken) }),
	},

	"POST /api/auth/verify-email": { any: (me) => ({ email: me.email, code: "000000" }) },
	"POST /api/auth/resend-verification": { any: (me) => ({ email: me.email }) },
	"POST /api/auth/forgot-password": { any: (me) => ({ email: me.email }) },
	"POST /api/auth/reset-password": { any: () => ({ token: "x", password: "circular thoughts" }) },
	"POST /api/auth/change-password": { any: () => ({ currentPassword: "not this one", newPassword: "circular thoughts" }) },
	"POST /api/auth/change-email": { any: (me) => ({ email: `${randomUUID()}@example.org`, password: me.password }) },

	"GET /api/auth/federated": {},
	"POST /api/auth/federated": { any: () => ({ provider: "nobody", idToken: "x" }) },
	"POST /api/auth/federated/link": { any: () => ({ provider: "nobody", idToken: "x" }) },
	"DELETE /api/auth/federated/:identityId": { foreign: () => ({ identityId: randomUUID() }) },
	"GET /api/auth/oidc": {},
	"GET /api/auth/oidc/:provider/start": { any: () => ({ provider: "nobody" }) },
	"GET /api/auth/oidc/:provider/callback": { any: () => ({ provider: "nobody" }) },
	"POST /api/auth/oidc/exchange": { any: () => ({ code: "x" }) },
	"POST /api/webhooks/clerk": {},

	"GET /api/auth/mfa": {},
	"POST /api/auth/mfa/login": { any: () => ({ ticket: "x", method: "totp", code: "123456" }) },
	"POST /api/auth/mfa/totp": {},
	"POST /api/auth/mfa/totp/confirm": { any: () => ({ code: "000000" }) },
	"DELETE /api/auth/mfa/totp": { any: () => ({ code: "000000" }) },
	"POST /api/auth/mfa/recovery-codes": {},
	"POST /api/auth/mfa/passkeys/options": {},
	"POST /api/auth/mfa/passkeys": { any: () => ({ response: {}, name: "Key" }) },
	"GET /api/auth/mfa/passkeys": {},
	"DELETE /api/auth/mfa/passkeys/:passkeyId": { foreign: () => ({ passkeyId: randomUUID() }) },
	"POST /api/auth/passkeys/options": {},
	"POST /api/auth/passkeys/login": { any: () => ({ response: {} }) },
	"POST /api/auth/step-up": { any: (me) => ({ password: me.password }) },

	"POST /api/auth/switch-profile": {
		own: (me) => ({ profileId: me.profileId }),
		foreign: (_me, other) => ({ profileId: other.profileId }),
	},
	"GET /api/profiles": {},
	"POST /api/profiles": { any: () => ({ displayName: "Kim's shop", kind: "organization" }) },
	"GET /api/profiles/me": {},
	"PATCH /api/profiles/:profileId": {
		own: (me) => ({ profileId: me.profileId, bio: "Mends things." }),
		foreign: (_me, other) => ({ profileId: other.profileId, bio: "Mends things." }),
	},
	"DELETE /api/profiles/:profileId": {
		own: async (me, _other, url) => ({ profileId: await anotherProfile(url, me) }),
		foreign: (_me, other) => ({ profileId: other.profileId }),
	},
	"GET /api/profiles/:profileId": {
		own: (me) => ({ profileId: me.profileId }),
		foreign: (_me, other) => ({ profileId: other.profileId }),
	},

	"GET /api/admin/users": {},
	"POST /api/admin/users/bulk-status": { any: async () => ({ ids: [await account("user")], state: "trashed" }) },
	"GET /api/admin/users/:userId": toAccounts(),
	"PATCH /api/admin/users/:userId": toAccounts({ language: "ku" }),
	"POST /api/admin/users/:userId/ban": toAccounts({ reason: "spam" }),
	"POST /api/admin/users/:userId/unban": toAccounts({}, "banned"),
	"POST /api/admin/users/:userId/trash": toAccounts(),
	"POST /api/admin/users/:userId/restore": toAccounts({}, "trashed"),
	"POST /api/admin/users/:userId/purge": toAccounts(),
	"POST /api/admin/users/:userId/reset-password": toAccounts(),
	"PUT /api/admin/users/:userId/role": {
		...toAccounts({ role: "viewer" }),
		"a user, to be moderator": async () => ({ userId: await account("user"), role: "moderator" }),
		"a user, to be admin": async () => ({ userId: await account("user"), role: "admin" }),
	},
	"GET /api/admin/users/:userId/sessions": toAccounts(),
	"DELETE /api/admin/users/:userId/sessions": toAccounts(),
	"DELETE /api/admin/users/:userId/sessions/:sessionId": {
		"a user's": async (_me, _other, url) => {
			const { accountId, accessToken } = await person(url, "Someone");
			return { userId: accountId, sessionId: sidOf(accessToken) };
		},
	},
	"POST /api/auth/introspect": { any: (me) => ({ token: me.accessToken }) },
	"POST /api/auth/revoke": { any: () => ({ token: "x" }) },
	"GET /api/admin/clients": {},
	"POST /api/admin/clients": { any: () => ({ name: "Shop", scopes: [] }) },
	"DELETE /api/admin/clients/:clientId": { any: async () => ({ clientId: await client() }) },
	"POST /api/admin/clients/:clientId/rotate-secret": { any: async () => ({ clientId: await client() }) },
	"GET /api/auth/tos/current": {
		any: async () => {
			await terms("published");
			return {};
		},
	},
	"POST /api/auth/tos/accept": {},
	"GET /api/admin/tos": {},
	"POST /api/admin/tos": { any: () => ({ version: randomUUID(), texts: WORDS }) },
	"GET /api/admin/tos/:termsId": { any: async () => ({ termsId: await terms("draft") }) },
	"PATCH /api/admin/tos/:termsId": { any: async () => ({ termsId: await terms("draft"), texts: WORDS }) },
	"POST /api/admin/tos/:termsId/publish": { any: async () => ({ termsId: await terms("draft") }) },
	"DELETE /api/admin/tos/:termsId": { any: async () => ({ termsId: await terms("draft") }) },
	"GET /api/admin/roles": {},
	"GET /api/admin/audit": {},
};
