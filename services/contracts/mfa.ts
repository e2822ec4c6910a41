// What the identity node offers besides the password: second factors, passkeys, and saying once more who one is.
import { internal, published } from "./contract.ts";
import { mfaMethod, type mfaRequired, signedIn, tokens } from "./identity.ts";
import { array, bool, email, int, list, nullable, object, optional, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";
import { authenticationResponse, creationOptions, registrationResponse, requestOptions } from "./webauthn.ts";

/** Six digits of an authenticator app, or a recovery code; blanks and dashes in them do not count. */
const code = text(1, 64);
/** Shown once: we keep no more than what recognises them. */
const recoveryCodes = array(text(1, 64), { min: 10, max: 10 });
const passkeyName = text(1, 60);

export const passkey = object({
	id: uuid,
	name: passkeyName,
	/** Whether it is kept beyond its device (a password manager's): then losing the device does not lose it. */
	backedUp: bool,
	createdAt: time,
	lastUsedAt: nullable(time),
});
export type Passkey = Infer<typeof passkey>;
export type MfaRequired = Infer<typeof mfaRequired>;
export type MfaMethod = Infer<typeof mfaMethod>;

export const actions = {
	...published({
		"mfa.status": {
			summary: "Which second factors the account has.",
			params: {},
			answer: object({ mfa: bool, totp: bool, passkeys: int(0), recoveryCodes: int(0) }),
			repeatable: true,
		},
		"mfa.enrolTotp": {
			summary: "Begin with an authenticator app (RFC 6238): its secret, and the same as a URI for a QR code. It counts once confirmed.",
			params: {},
			answer: object({ secret: text(1, 200), uri: text(1, 1000) }),
			errors: ["wrong-state"],
		},
		"mfa.confirmTotp": {
			summary: "The authenticator app's first code turns it on. Answers ten recovery codes; older ones end.",
			params: { code },
			answer: object({ recoveryCodes }),
			errors: ["invalid-credentials", "wrong-state"],
		},
		"mfa.removeTotp": {
			summary: "Turn the authenticator app off, with one of its codes or a recovery code.",
			params: { code },
			answer: object({}),
			errors: ["invalid-credentials", "not-found", "rate-limited"],
		},
		"mfa.renewRecoveryCodes": {
			summary: "Ten new recovery codes; the old ones end.",
			params: {},
			answer: object({ recoveryCodes }),
			errors: ["wrong-state"],
		},
		"mfa.login": {
			summary: "The second step of a login: the ticket of the first, and a code or a passkey. Five wrong ones end the ticket.",
			params: { ticket: text(1, 200), method: mfaMethod, code: optional(code), response: optional(authenticationResponse) },
			answer: signedIn,
			errors: ["invalid-credentials", "invalid-token", "banned", "rate-limited"],
		},
		"mfa.stepUp": {
			summary: "Say once more who one is: the password, a code, or a passkey. Answers tokens of the same session for what asks for that.",
			params: {
				password: optional(text(1, 1024, { verbatim: true })),
				code: optional(code),
				response: optional(authenticationResponse),
			},
			answer: object({ tokens }),
			errors: ["invalid-credentials", "invalid-token", "banned", "rate-limited"],
		},
		"passkeys.enrolOptions": {
			summary: "What a browser needs to make a passkey for this account.",
			params: {},
			answer: creationOptions,
		},
		"passkeys.enrol": {
			summary: "Keep the passkey that was made. The first second factor of an account comes with ten recovery codes.",
			params: { response: registrationResponse, name: passkeyName },
			answer: object({ ...passkey.props, recoveryCodes: optional(recoveryCodes) }),
			errors: ["conflict"],
		},
		"passkeys.list": { summary: "The account's passkeys.", params: { ...page }, answer: list(passkey), repeatable: true },
		"passkeys.remove": { summary: "Remove one of the account's passkeys.", params: { passkeyId: uuid }, answer: object({}) },
		"passkeys.options": {
			summary: "What a browser needs to sign in with a passkey; with the ticket of a login, for its second step.",
			params: { ticket: optional(text(1, 200)) },
			answer: requestOptions,
		},
		"passkeys.login": {
			summary: "Sign in with a passkey alone: it is two factors in one.",
			params: { response: authenticationResponse },
			answer: signedIn,
			errors: ["invalid-credentials", "banned"],
		},
	}),
	...internal({
		"mfa.reset": {
			summary: "Operators: remove every second factor of an account whose owner has lost them; its sessions end.",
			params: { email },
			answer: object({ id: uuid, email: text(3, 254), totp: bool, passkeys: int(0) }),
		},
	}),
};
