// What a route of the access matrix is asked with. A line of the table (index.ts):
//
//   "GET /api/notes": {},                                              // it needs nothing
//   "POST /api/notes": { any: () => ({ text: "Needle" }) },            // a body
//   "GET /api/notes/:noteId": { own: async (me) => ({ noteId: await noteOf(me) }), foreign: async (_me, other) => … },
//
// Each object has its line in the matrix, and is made anew for every caller: it may be destroyed. Of the values those that the path
// names go there, the others into the body, or the query where there is none.
import type { Person } from "../client.ts";

export type Values = Readonly<Record<string, unknown>>;

/** @param me who asks (where nobody does: somebody who could) @param other somebody else @param url the door's */
export type Make = (me: Person, other: Person, url: string) => Values | Promise<Values>;

export interface Case {
	/** By the name of the object. The last one is what nobody's request is about: `own` stands first. */
	readonly [object: string]: Make;
}
export type Cases = Readonly<Record<string, Case>>;

/** The names of routes whose caller must sign in anew afterwards. */
export const ENDS_SESSION: ReadonlySet<string> = new Set(["POST /api/auth/logout"]);

/** Routes that somebody outside must help to a good answer (an issuer, an authenticator, a mailbox), or after which one could not ask on (a new password): the matrix asks them with nonsense, and shows who gets past the door. */
export const HELPED: ReadonlySet<string> = new Set([
	"POST /api/auth/federated",
	"POST /api/auth/federated/link",
	"DELETE /api/auth/federated/:identityId",
	"GET /api/auth/oidc/:provider/start",
	"GET /api/auth/oidc/:provider/callback",
	"POST /api/auth/oidc/exchange",
	"POST /api/webhooks/clerk",
	"GET /api/jobs/:jobId",
	"POST /api/auth/introspect",
	"POST /api/auth/revoke",
	"POST /api/auth/verify-email",
	"POST /api/auth/reset-password",
	"POST /api/auth/change-password",
	"POST /api/auth/mfa/login",
	"POST /api/auth/mfa/totp/confirm",
	"DELETE /api/auth/mfa/totp",
	"POST /api/auth/mfa/recovery-codes",
	"POST /api/auth/mfa/passkeys",
	"DELETE /api/auth/mfa/passkeys/:passkeyId",
	"POST /api/auth/passkeys/login",
	// Their link is in a mail.
	"GET /api/notifications/unsubscribe",
	"POST /api/notifications/unsubscribe",
	// An archive is made by a job, and an account can be erased once.
	"GET /api/auth/me/export",
	"GET /api/exports/:exportId",
	"DELETE /api/auth/me",
]);
