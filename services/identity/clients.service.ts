// Registered clients, and what they and the holders of tokens ask of tokens.
import { randomBytes } from "node:crypto";
import { newId, once, pageOf, decodeCursor, service } from "../../mixins/node.ts";
import type { Tx } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import { authenticateClient, oauthRefusal } from "./clients/client-credentials.ts";
import { notTheirs } from "./domain/clients.ts";
import { claimsOf, introspect } from "./clients/introspection.ts";
import type { IdentityNode } from "./node.ts";
import { identityNode, revokeSessions, tellDoors } from "./node.ts";
import { addAudit } from "./store/audit.ts";
import { clientsFrom, deleteClient, endClientSessions, findClient, insertClient, updateSecret } from "./store/clients.ts";
import { findRefreshToken } from "./store/refresh-tokens.ts";

type AnyCtx = Ctx<unknown>;

const newSecret = (): string => randomBytes(32).toString("base64url");

/** Nobody gives more than they have: neither a scope to a client, nor themselves the secret of a client that has more. */
function mustHave(caller: AnyCtx["caller"], scopes: readonly string[]): void {
	const missing = notTheirs(scopes, caller);
	if (missing.length > 0) throw problem("forbidden", { detail: `You do not have what you would give away: ${missing.join(", ")}.` });
}

const audit = (tx: Tx, ctx: AnyCtx, action: string, target: string, detail: Record<string, unknown>, now: Date) =>
	addAudit(tx, { actor: ctx.caller.accountId, action, target, requestId: ctx.requestId, detail }, now);

async function endClientTokens(
	node: IdentityNode,
	tx: Tx,
	ctx: AnyCtx,
	which: { sessionId: string } | { clientId: string },
): Promise<void> {
	const now = new Date();
	tellDoors(node, tx, ctx.broker, await endClientSessions(tx, which, now), now);
}

export default service("clients", {
	node: identityNode,

	actions: {
		async create(ctx, { db }) {
			const scopes = [...new Set(ctx.params.scopes)];
			mustHave(ctx.caller, scopes);
			return once(ctx, db, async (tx) => {
				const now = new Date();
				const { name } = ctx.params;
				const client = { clientId: newId(), name, scopes, createdAt: now.toISOString(), rotatedAt: null, lastUsedAt: null };
				const clientSecret = newSecret();
				await insertClient(tx, client, clientSecret);
				await audit(tx, ctx, "client.create", client.clientId, { name, scopes }, now);
				return { ...client, clientSecret };
			});
		},

		async list(ctx, { db }) {
			const { limit, cursor } = ctx.params;
			const [before] = decodeCursor(cursor, ["uuid"]) ?? [null];
			return pageOf(
				await clientsFrom(db, before, limit + 1),
				limit,
				({ clientId }) => [clientId],
				(client) => client,
			);
		},

		async remove(ctx, node) {
			const { clientId } = ctx.params;
			return node.db.tx(async (tx) => {
				const client = await deleteClient(tx, clientId);
				if (!client) throw problem("not-found");
				await endClientTokens(node, tx, ctx, { clientId });
				await audit(tx, ctx, "client.remove", clientId, { name: client.name, scopes: client.scopes }, new Date());
				return {};
			});
		},

		async rotate(ctx, { db }) {
			const { clientId } = ctx.params;
			return once(ctx, db, async (tx) => {
				const found = await findClient(tx, clientId);
				if (!found) throw problem("not-found");
				mustHave(ctx.caller, found.scopes);
				const now = new Date();
				const clientSecret = newSecret();
				const client = await updateSecret(tx, clientId, clientSecret, now);
				if (!client) throw problem("not-found");
				await audit(tx, ctx, "client.rotate", clientId, { name: client.name }, now);
				return { ...client, clientSecret };
			});
		},

		async introspect(ctx, node) {
			const { client_id, client_secret } = ctx.params;
			// RFC 7662, 2.1: by its secret, or by a token of its own.
			const byToken = ctx.meta.principal?.client && client_id === undefined && client_secret === undefined;
			if (!byToken) await authenticateClient(node, ctx.params);
			return once(ctx, node.db, () => introspect(node, ctx.params.token));
		},

		async revoke(ctx, node) {
			const { token, client_id, client_secret } = ctx.params;
			const client = client_secret ? await authenticateClient(node, { client_id, client_secret }) : undefined;
			const claims = await claimsOf(node, token);
			const owner = claims?.client_id;
			if (client && owner && owner !== client.clientId) throw oauthRefusal("unauthorized_client", "The token was given to another client.");
			return once(ctx, node.db, async (tx) => {
				const sessionId = claims?.sid ?? (await findRefreshToken(tx, token))?.sessionId;
				if (!sessionId) return {};
				if (owner) await endClientTokens(node, tx, ctx, { sessionId });
				else await revokeSessions(node, tx, ctx, { sessionId }, "ended", new Date());
				return {};
			});
		},
	},
});
