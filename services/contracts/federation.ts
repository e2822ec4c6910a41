// What the identity node offers to who signs in elsewhere: identities at OpenID Connect issuers, the code flow, Clerk's webhook.
import { published } from "./contract.ts";
import { mfaRequired, signedIn } from "./identity.ts";
import { array, bool, defaulted, either, list, nullable, object, optional, page, record, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

/** The <NAME> of OIDC_<NAME>_ISSUER, in lower case. */
const provider = text(1, 64);
const idToken = text(1, 16_384);
const nonce = optional(text(1, 512));

/** Somebody at an issuer, who is the same person as the account here. */
export const linkedIdentity = object({
	id: uuid,
	provider,
	/** As the issuer said it last. */
	email: nullable(text(1, 254)),
	createdAt: time,
	lastUsedAt: time,
});
export type LinkedIdentity = Infer<typeof linkedIdentity>;

export const federatedSignIn = either(object({ ...signedIn.props, created: bool }), object({ ...mfaRequired.props, created: bool }));
export type FederatedSignIn = Infer<typeof federatedSignIn>;

/** A door's redirect: where to, and the cookie that remembers which sign-ins this browser has begun. */
const redirect = object({ location: text(1, 8192), flows: text(0, 4000) });
const flows = optional(text(0, 4000));

export const actions = {
	...published({
		"federation.signIn": {
			summary: "Sign in with the ID token of a configured OpenID Connect issuer; makes an account where there is none.",
			description:
				"An e-mail that the issuer has verified is linked to the active account that has it. One that it has not verified, or whose account here is unverified, is 409 `link-required`: sign in to that account and link there.",
			params: { provider, idToken, nonce },
			answer: federatedSignIn,
			errors: ["invalid-token", "banned", "link-required", "issuer-unavailable"],
		},
		"federation.list": {
			summary: "The identities that the caller can sign in with.",
			params: { ...page },
			answer: list(linkedIdentity),
			repeatable: true,
		},
		"federation.link": {
			summary: "Link somebody at an issuer to the caller's account, which must be verified.",
			description: "By an ID token of `provider`, or by the `code` of a browser that began with `link`, and its `verifier`.",
			params: {
				provider: optional(provider),
				idToken: optional(idToken),
				nonce,
				code: optional(text(1, 128)),
				verifier: optional(text(1, 128)),
			},
			answer: linkedIdentity,
			errors: ["invalid-token", "already-linked", "wrong-state", "issuer-unavailable"],
		},
		"federation.unlink": {
			summary: "Unlink an identity; never the last way to sign in.",
			params: { identityId: uuid },
			answer: object({}),
			errors: ["last-sign-in"],
		},
		"federation.providers": {
			summary: "The issuers one can sign in with, and where a browser begins.",
			params: {},
			answer: object({ data: array(object({ provider, start: text(1, 512) })) }),
			repeatable: true,
		},
		"federation.start": {
			summary: "Send a browser to an issuer (authorization code flow with PKCE).",
			description:
				"`redirect`: where the browser comes back to, on the origin of PUBLIC_URL or one of CORS_ORIGINS, without a fragment. `challenge`: the base64url SHA-256 of a secret of the page that begins; only who has that secret can exchange the code. `link`: to link the identity to an account, by `POST /api/auth/federated/link`; asks for a challenge. `stepUp`: to say once more who one is, in the session whose access token exchanges the code; the issuer must ask anew.",
			params: {
				provider,
				redirect: optional(text(1, 2000)),
				challenge: optional(text(43, 43, { pattern: /^[A-Za-z0-9_-]{43}$/ })),
				link: defaulted(bool, false),
				stepUp: defaulted(bool, false),
				flows,
			},
			answer: redirect,
			errors: ["issuer-unavailable"],
		},
		"federation.callback": {
			summary: "Where the issuer sends the browser back to. It goes on to `redirect`, with a code in the fragment: `#code=…`.",
			description:
				"What goes wrong is in the fragment, too: `#error=…&error_description=…`, with a problem's code, and `issuer_error` where the issuer gave one. A problem is answered only where nobody knows which page began.",
			params: {
				provider,
				code: optional(text(1, 4096)),
				state: optional(text(1, 512)),
				iss: optional(text(1, 512)),
				error: optional(text(1, 512)),
				flows,
			},
			answer: redirect,
			errors: ["bad-state"],
		},
		"federation.exchange": {
			summary: "The tokens for the code of a fragment: once, within a minute.",
			description: "For the code of a step-up, with the access token of the session: answers that session's new tokens.",
			params: { code: text(1, 128), verifier: optional(text(1, 128)) },
			answer: federatedSignIn,
			errors: ["invalid-token", "invalid-credentials", "unauthenticated", "banned"],
		},
		"federation.clerk": {
			summary: "Clerk's webhook (Standard Webhooks): user.created, user.updated, user.deleted; anything else is let pass.",
			params: { body: text(0, 102_400, { verbatim: true }), headers: record(text(0, 4096, { verbatim: true })) },
			answer: object({}),
			errors: ["bad-signature"],
		},
	}),
};
