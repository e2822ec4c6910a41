// Registered clients: programs that act for themselves, with their own scopes (RFC 6749, 4.4), ask what a token is (RFC 7662),
// and end tokens (RFC 7009).
import { published } from "./contract.ts";
import { scopeNames } from "./scopes.ts";
import { array, bool, int, list, nullable, object, oneOf, optional, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

/** As it is kept: a scope that the registry has no more is still shown. */
const scope = text(3, 64, { pattern: /^[a-z][a-z0-9-]*:[a-z*][a-z0-9-]*$/ });
export const clientName = text(1, 100);

export const client = object({
	clientId: uuid,
	name: clientName,
	scopes: array(scope),
	createdAt: time,
	/** When its secret was changed last. */
	rotatedAt: nullable(time),
	/** When it was given a token last. */
	lastUsedAt: nullable(time),
});
export type Client = Infer<typeof client>;

const withSecret = object({ ...client.props, clientSecret: text(20, 200) });

/** How a client says who it is in a body; the door puts here what HTTP Basic says. */
const credentials = { client_id: optional(text(0, 254)), client_secret: optional(text(0, 254)) };
/** Longer than any of ours: what is no token is unknown, not malformed. */
const token = text(1, 65_536);

export const actions = {
	...published({
		"clients.create": {
			summary: "Register a client. Its secret is shown here and never again.",
			description: "It gets no scope that the caller does not have, and none that hangs on a profile.",
			params: { name: clientName, scopes: array(oneOf(...scopeNames), { max: 100 }) },
			answer: withSecret,
			errors: ["forbidden"],
		},
		"clients.list": { summary: "The registered clients, newest first.", params: page, answer: list(client), repeatable: true },
		"clients.remove": {
			summary: "Remove a client: its tokens are refused within a second.",
			params: { clientId: uuid },
			answer: object({}),
		},
		"clients.rotate": {
			summary: "Give a client another secret; the old one is no good from now on. Needs every scope of the client.",
			params: { clientId: uuid },
			answer: withSecret,
			errors: ["forbidden"],
		},
		"clients.introspect": {
			summary: "RFC 7662: what an access token or a refresh token is, for a registered client.",
			description:
				"The client says who it is by its secret, or by an access token of its own. `active: false`, and not a word more, for whatever is unknown, used up, expired or revoked, and for accounts that may not sign in.",
			params: { token, token_type_hint: optional(text(0, 64)), ...credentials },
			answer: object({
				active: bool,
				scope: optional(text(0, 4096)),
				client_id: optional(uuid),
				token_type: optional(oneOf("Bearer")),
				exp: optional(int(0)),
				iat: optional(int(0)),
				sub: optional(uuid),
				aud: optional(text(1, 100)),
				iss: optional(text(1, 1000)),
				jti: optional(text(1, 100)),
				sid: optional(uuid),
			}),
		},
		"clients.revoke": {
			summary: "RFC 7009: end the session that an access token or a refresh token is of. Whoever holds the token may.",
			description: "A client may name itself; then it must be right. A token that is unknown, or over, is 200 too.",
			params: { token, token_type_hint: optional(text(0, 64)), ...credentials },
			answer: object({}),
		},
	}),
};
