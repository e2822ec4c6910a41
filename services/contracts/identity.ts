// What the identity node offers: accounts, sessions, tokens, profiles.
import { factTable, internal, published, signalTable } from "./contract.ts";
import {
	array,
	bool,
	defaulted,
	either,
	email,
	int,
	json,
	list,
	literal,
	nullable,
	object,
	oneOf,
	optional,
	page,
	text,
	time,
	uuid,
} from "./schema.ts";
import type { Infer } from "./schema.ts";
import { picture } from "./uploads.ts";
import { requestOptions } from "./webauthn.ts";

export const accountState = oneOf("unverified", "active", "mustChangePassword", "banned", "trashed", "purged");
export const accountRole = oneOf("user", "viewer", "moderator", "government", "admin");
export const profileKind = oneOf("consumer", "organization", "employee");
export const displayName = text(1, 60);
/** 8 to 128 characters, verbatim: never trimmed, never cut. */
export const password = text(8, 128, { verbatim: true });

export const account = object({ id: uuid, email: text(3, 254), state: accountState, role: accountRole, mfa: bool });
export type Account = Infer<typeof account>;
export const language = oneOf("en", "pt", "ar", "ku");
/** What only the owner of an account sees and changes. `timeZone`: a name of the IANA database. */
export const ownSettings = object({ language: nullable(language), timeZone: nullable(text(1, 64)), phone: nullable(text(3, 32)) });
export type OwnSettings = Infer<typeof ownSettings>;
/** What everybody may see of somebody. */
export const profile = object({
	id: uuid,
	displayName,
	kind: profileKind,
	bio: optional(text(0, 500)),
	avatar: optional(picture),
});
export type Profile = Infer<typeof profile>;
export const tokens = object({ accessToken: text(1, 8192), refreshToken: text(1, 512), tokenType: oneOf("Bearer"), expiresIn: int(0) });
export type Tokens = Infer<typeof tokens>;
/** Whether the caller is yet to accept the terms of service in force, and which those are. */
export const tosState = object({ required: bool, currentId: nullable(uuid) });
/** What somebody is told of themselves. */
export const me = object({
	account: object({ ...account.props, ...ownSettings.props }),
	profile,
	profiles: array(profile),
	tos: tosState,
});
export const signedIn = object({ account, profile, tokens });
export type SignedIn = Infer<typeof signedIn>;
export const mfaMethod = oneOf("totp", "recovery", "passkey");
/** The answer of a login whose account has a second factor; `options` are for `navigator.credentials.get`, where it has passkeys. */
export const mfaRequired = object({
	mfaRequired: literal(true),
	ticket: text(1, 200),
	methods: array(mfaMethod),
	expiresIn: int(0),
	options: optional(requestOptions),
});
/** A key that verifies access tokens, as a JSON Web Key (RFC 7517). */
export const publicKey = object({
	kty: oneOf("RSA"),
	kid: text(1, 100),
	alg: oneOf("RS256"),
	use: oneOf("sig"),
	n: text(1, 2000),
	e: text(1, 20),
});
export type PublicKey = Infer<typeof publicKey>;
export const session = object({ id: uuid, device: text(0, 512), address: text(0, 64), createdAt: time, lastUsedAt: time, current: bool });
export type Session = Infer<typeof session>;
/** A session, or a compromised key in a session's place (mixins/token/verifier.ts). */
const endedName = text(1, 100);

export const actions = {
	...published({
		"identity.jwks": {
			summary: "The public keys that verify access tokens (RFC 7517).",
			params: {},
			answer: object({ keys: array(publicKey) }),
			repeatable: true,
		},
		"identity.openidConfiguration": {
			summary: "Where everything is (OpenID Connect Discovery 1.0).",
			params: {},
			answer: json,
			repeatable: true,
		},
		"auth.register": {
			summary: "Make an account with one consumer profile, and sign it in.",
			params: { email, password, displayName, phone: optional(text(3, 32)), language: optional(language) },
			answer: signedIn,
			errors: ["email-taken"],
			owner: "email",
		},
		"auth.login": {
			summary: "Sign in with e-mail and password.",
			description: "An account with a second factor gets a ticket for `POST /api/auth/mfa/login` instead of tokens.",
			params: { email: text(1, 254), password: text(1, 1024, { verbatim: true }) },
			answer: either(signedIn, mfaRequired),
			errors: ["invalid-credentials", "banned"],
			owner: "email",
		},
		"auth.token": {
			summary: "RFC 6749 token endpoint: grant_type password, refresh_token or client_credentials.",
			params: {
				grant_type: optional(text(1, 64)),
				username: optional(text(0, 254)),
				password: optional(text(0, 1024, { verbatim: true })),
				refresh_token: optional(text(0, 1024)),
				client_id: optional(text(0, 254)),
				client_secret: optional(text(0, 254)),
				scope: optional(text(0, 4096)),
			},
			answer: object({
				access_token: text(1, 8192),
				// A client gets none: it can always ask again.
				refresh_token: optional(text(1, 512)),
				token_type: oneOf("Bearer"),
				expires_in: int(0),
				scope: text(0, 4096),
			}),
		},
		"auth.refresh": {
			summary: "Rotate the refresh token. The same token again within 10 s from the same client returns the same successor.",
			params: { refreshToken: text(1, 1024) },
			answer: object({ tokens }),
			errors: ["invalid-token", "banned"],
		},
		"auth.logout": {
			summary: "End this session, or with all=true every session of the account.",
			params: { all: defaulted(bool, false) },
			answer: object({}),
		},
		"auth.me": {
			summary: "The caller's account, active profile and all profiles.",
			params: {},
			answer: me,
			repeatable: true,
		},
		"auth.validate": { summary: "The claims of the access token.", params: {}, answer: json, repeatable: true },
		"auth.availability": {
			summary: "Whether an e-mail is free; strictly throttled, shared with register.",
			params: { email },
			answer: object({ available: bool }),
			repeatable: true,
		},
		"sessions.list": {
			summary: "The caller's open sessions.",
			params: { ...page },
			answer: list(session),
			repeatable: true,
		},
		"sessions.end": {
			summary: "End one of the caller's sessions.",
			params: { sessionId: uuid },
			answer: object({}),
		},
	}),
	...internal({
		"identity.revocations": {
			summary:
				"Sessions ended and profiles deleted within the life of an access token, or after `since`: what doors must know. `at` is when it was read.",
			params: { since: optional(time) },
			answer: object({
				at: time,
				sessions: array(object({ sessionId: endedName, until: time }), { max: 1_000_000 }),
				profiles: array(object({ profileId: uuid, until: time }), { max: 1_000_000 }),
				// The ids of the keys there are.
				keys: optional(array(text(1, 100))),
			}),
			repeatable: true,
		},
		"identity.rotateKeys": {
			summary:
				"Operators: make the next signing key. It signs in a moment, and the old ones verify on; with `now` they are compromised, and nothing they signed is believed.",
			params: { now: defaulted(bool, false) },
			answer: object({ kid: text(1, 100), signsFrom: time, revoked: array(text(1, 100)) }),
		},
		"auth.create": {
			summary: "Operators: make an account with a role, without HTTP. Prints the password when it made one.",
			params: { email, password: optional(password), role: defaulted(accountRole, "admin"), displayName: optional(displayName) },
			answer: object({ email: text(3, 254), password: text(8, 128, { verbatim: true }), id: uuid }),
		},
		"auth.setRole": {
			summary: "Operators: give an account a role; its sessions end so that no old token keeps the old role.",
			params: { email, role: accountRole },
			answer: account,
		},
		"identity.contactOf": {
			summary:
				"Other nodes: where mails to somebody go, in what language. `email` null: nowhere, because it is not proved, or the account is banned, closed or gone.",
			params: { profileId: uuid },
			answer: object({ email: nullable(text(3, 254)), language: nullable(language) }),
			repeatable: true,
		},
		"identity.people": {
			summary: "Other nodes that begin to keep names: profiles in the order of their ids, with what their accounts have set.",
			params: { after: optional(uuid), limit: defaulted(int(1, 1000), 1000) },
			answer: object({
				people: array(
					object({ profileId: uuid, accountId: uuid, displayName, language: nullable(language), timeZone: ownSettings.props.timeZone }),
				),
			}),
			repeatable: true,
		},
		"accounts.show": {
			summary: "Operators: an account by its e-mail, with its profiles and its open sessions.",
			params: { email },
			answer: object({
				id: uuid,
				email: text(3, 254),
				state: accountState,
				role: accountRole,
				createdAt: time,
				bannedUntil: nullable(time),
				mfa: bool,
				factors: array(mfaMethod),
				profiles: array(profile),
				sessions: int(0),
				lastUsedAt: nullable(time),
			}),
		},
	}),
};

export const signals = signalTable({
	"identity.session.revoked": {
		summary: "A session has ended: doors refuse its tokens until then.",
		payload: { sessionId: endedName, until: time },
	},
	"identity.keys.changed": { summary: "There are other signing keys: doors read them anew.", payload: {} },
});

export const facts = factTable({
	"identity.account.registered": {
		summary: "An account was made, with its first profile.",
		payload: { accountId: uuid, profileId: uuid, displayName, kind: profileKind, language: nullable(text(2, 8)) },
	},
	"identity.account.settingsChanged": {
		summary: "An account has another language or time zone: they are now so.",
		payload: { accountId: uuid, language: nullable(text(2, 8)), timeZone: nullable(text(1, 64)) },
	},
	"identity.session.revoked": {
		summary: "A session ended before its time: logout, reuse of a refresh token, a new password, an operator, its profile was deleted.",
		payload: {
			accountId: uuid,
			sessionId: uuid,
			reason: oneOf("logout", "reuse", "role", "ended", "unlinked", "mfa", "banned", "trashed", "erased", "password", "profile"),
			until: time,
		},
	},
});
