// Registered clients at the endpoints of OAuth: who they are by their secret, and the tokens they get for themselves.
import { timingSafeEqual } from "node:crypto";
import { newId, once } from "../../../mixins/node.ts";
import type { Client } from "../../contracts/clients.ts";
import { problem } from "../../contracts/errors.ts";
import type { Answer, Ctx } from "../../contracts/index.ts";
import { granted } from "../domain/clients.ts";
import type { IdentityNode } from "../node.ts";
import { findClient, openClientSession, secretHash } from "../store/clients.ts";

/** RFC 6749, 5.2: the body of a refusal; the door sends `oauth` as it is. */
export const oauthRefusal = (error: string, description: string) =>
	problem(error === "invalid_client" ? "invalid-token" : "malformed", { oauth: { error, error_description: description } });

/** The same for whoever is unknown and whoever is wrong. */
const invalidClient = () => oauthRefusal("invalid_client", "The client is unknown, or its secret is wrong.");

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const NOBODY = Buffer.alloc(32);

export interface Credentials {
	client_id?: string;
	client_secret?: string;
}
type KnownClient = Client & { secretHash: Buffer };

/** The client whose secret this is. Throws 401 `invalid_client`. */
export async function authenticateClient({ db }: IdentityNode, { client_id, client_secret }: Credentials): Promise<KnownClient> {
	if (!client_id || !client_secret) throw oauthRefusal("invalid_client", "This needs a client's id and secret.");
	const client = UUID.test(client_id) ? await findClient(db, client_id) : undefined;
	const right = timingSafeEqual(secretHash(client_secret), client?.secretHash ?? NOBODY);
	if (!client || !right) throw invalidClient();
	return client;
}

/** A token of the client's own: no account, no profile, no refresh token. */
export async function clientToken(
	node: IdentityNode,
	ctx: Ctx<unknown>,
	asked: Credentials & { scope?: string },
): Promise<Answer<"auth.token">> {
	const client = await authenticateClient(node, asked);
	const scopes = granted(client.scopes, asked.scope);
	if (!scopes) throw oauthRefusal("invalid_scope", "The client does not have all of these scopes.");
	const scope = scopes.join(" ");
	return once(ctx, node.db, async (tx) => {
		const now = new Date();
		const { clientId } = client;
		const session = { id: newId(), clientId, expiresAt: new Date(now.getTime() + node.ttlAccess * 1000) };
		if (!(await openClientSession(tx, session, client.secretHash, now))) throw invalidClient();
		const claims = { sub: clientId, sid: session.id, client_id: clientId, name: client.name, roles: ["client"], scope };
		const { accessToken, expiresIn } = await node.signing.sign(claims, now);
		return { access_token: accessToken, token_type: "Bearer" as const, expires_in: expiresIn, scope };
	});
}
