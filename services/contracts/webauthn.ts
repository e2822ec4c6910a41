// What a browser and we say to each other about passkeys: the JSON forms of WebAuthn Level 3, as `navigator.credentials` reads and
// writes them (`parseCreationOptionsFromJSON`, `toJSON`).
import { array, int, json, literal, nullable, object, oneOf, optional, text } from "./schema.ts";
import type { Infer } from "./schema.ts";

/** Bytes as base64url without padding. */
const bytes = (max: number) => text(1, max, { pattern: /^[A-Za-z0-9_-]+$/ });
const transport = text(1, 30);
const descriptor = object({ id: bytes(2048), type: literal("public-key"), transports: optional(array(transport, { max: 10 })) });
/** Asked of every passkey: the person was there, and the device knows that it was this person. */
const verified = literal("required");

/** For `navigator.credentials.create({ publicKey })`. */
export const creationOptions = object({
	challenge: bytes(100),
	rp: object({ id: text(1, 253), name: text(1, 100) }),
	user: object({ id: bytes(100), name: text(1, 254), displayName: text(1, 254) }),
	pubKeyCredParams: array(object({ alg: int(), type: literal("public-key") })),
	timeout: int(0),
	attestation: literal("none"),
	excludeCredentials: array(descriptor),
	authenticatorSelection: object({ residentKey: verified, requireResidentKey: literal(true), userVerification: verified }),
});
export type CreationOptions = Infer<typeof creationOptions>;

/** For `navigator.credentials.get({ publicKey })`. An empty list of credentials: the person chooses among those of this site. */
export const requestOptions = object({
	challenge: bytes(100),
	rpId: text(1, 253),
	timeout: int(0),
	userVerification: verified,
	allowCredentials: array(descriptor),
});
export type RequestOptions = Infer<typeof requestOptions>;

const credential = {
	id: bytes(2048),
	rawId: bytes(2048),
	type: literal("public-key"),
	authenticatorAttachment: optional(nullable(oneOf("platform", "cross-platform"))),
	clientExtensionResults: optional(json),
};

/** What `create()` gave, as `toJSON()` says it. */
export const registrationResponse = object({
	...credential,
	response: object({
		clientDataJSON: bytes(8192),
		attestationObject: bytes(65_536),
		transports: optional(array(transport, { max: 10 })),
		// Said once more for convenience; what counts is in the attestation object.
		authenticatorData: optional(bytes(16_384)),
		publicKey: optional(nullable(bytes(8192))),
		publicKeyAlgorithm: optional(int()),
	}),
});
export type RegistrationResponse = Infer<typeof registrationResponse>;

/** What `get()` gave, as `toJSON()` says it. */
export const authenticationResponse = object({
	...credential,
	response: object({
		clientDataJSON: bytes(8192),
		authenticatorData: bytes(16_384),
		signature: bytes(8192),
		userHandle: optional(nullable(bytes(100))),
		attestationObject: optional(nullable(bytes(65_536))),
	}),
});
export type AuthenticationResponse = Infer<typeof authenticationResponse>;
