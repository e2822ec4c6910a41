// The use of a refresh token: the next tokens, or the end of the session when two parties have it.
import { once } from "../../mixins/idempotency.ts";
import type { Tx } from "../../mixins/postgres.ts";
import { isProblem, problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import type { Tokens } from "../contracts/identity.ts";
import { maySignIn } from "./domain/login.ts";
import { rotation } from "./domain/rotation.ts";
import type { IdentityNode } from "./node.ts";
import { deviceOf, issueTokens, PROFILES_IN_TOKEN, revokeSessions } from "./node.ts";
import { findAccount } from "./store/accounts.ts";
import { addAudit } from "./store/audit.ts";
import { findProfile, profilesOf } from "./store/profiles.ts";
import type { RefreshRow } from "./store/refresh-tokens.ts";
import { lockRefreshToken, rotateRefreshToken } from "./store/refresh-tokens.ts";

type AnyCtx = Ctx<unknown>;

/** Throws 401 `invalid-token` for one that is unknown, used up, or whose session is over; 403 `banned`. */
export async function refresh(node: IdentityNode, ctx: AnyCtx, token: string): Promise<Tokens> {
	const now = new Date();
	const tokens = await once(ctx, node.db, async (tx) => {
		const row = await lockRefreshToken(tx, token);
		const client = { device: deviceOf(ctx), address: ctx.address };
		// It came in a cookie, with the CSRF token of another session.
		const { cookieSession } = ctx.meta;
		if (row && cookieSession !== undefined && row.sessionId !== cookieSession) throw problem("csrf");
		switch (row ? rotation({ ...row, askingDevice: client.device }, now) : "refuse") {
			case "rotate":
				await rotateRefreshToken(tx, (row as RefreshRow).sessionId, token, node.signing.successorOf(token), client, now);
				return follow(node, tx, row as RefreshRow, token, now);
			case "repeat":
				return follow(node, tx, row as RefreshRow, token, now);
			case "reuse":
				await endFamily(node, tx, ctx, row as RefreshRow, now);
				// Answered, not thrown: a throw would undo the revocation.
				return null;
			case "refuse":
				return null;
		}
	});
	if (!tokens) throw problem("invalid-token");
	return tokens;
}

/** The tokens that follow the given one. */
async function follow(node: IdentityNode, tx: Tx, row: RefreshRow, token: string, now: Date): Promise<Tokens> {
	const account = await findAccount(tx, { id: row.accountId });
	const profile = await findProfile(tx, row.profileId);
	if (!account || !profile) throw problem("invalid-token");
	try {
		maySignIn(account);
	} catch (error) {
		throw isProblem(error, "invalid-credentials") ? problem("invalid-token") : error;
	}
	const profiles = await profilesOf(tx, account.id, null, PROFILES_IN_TOKEN);
	return issueTokens(
		node,
		account,
		profile,
		profiles,
		{ id: row.sessionId, authTime: row.authTime, acr: row.acr },
		node.signing.successorOf(token),
		now,
	);
}

async function endFamily(node: IdentityNode, tx: Tx, ctx: AnyCtx, row: RefreshRow, now: Date): Promise<void> {
	await revokeSessions(node, tx, ctx, { sessionId: row.sessionId }, "reuse", now);
	const detail = { accountId: row.accountId };
	const personal = { after: { address: ctx.address, device: deviceOf(ctx) } };
	await addAudit(tx, { actor: null, action: "session.reuse", target: row.sessionId, requestId: ctx.requestId, detail, personal }, now);
}
