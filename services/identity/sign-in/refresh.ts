// The use of a refresh token: the next tokens, or the end of the session when two parties have it.
import { onceBefore } from "../../../mixins/idempotency.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { isProblem, problem } from "../../contracts/errors.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { Tokens } from "../../contracts/identity.ts";
import { maySignIn } from "../domain/login.ts";
import { rotation } from "../domain/rotation.ts";
import type { IdentityNode } from "../node.ts";
import { deviceOf, issueTokens, PROFILES_IN_TOKEN, revokeSessions } from "../node.ts";
import type { AccountRow } from "../store/accounts.ts";
import { addAudit } from "../store/audit.ts";
import type { RefreshRow } from "../store/refresh-tokens.ts";
import { lockRefreshToken, rotateRefreshToken } from "../store/refresh-tokens.ts";

type AnyCtx = Ctx<unknown>;

/** A session that goes on. */
interface Renewal {
	account: AccountRow;
	profile: NonNullable<RefreshRow["profile"]>;
	row: RefreshRow;
}

/** Throws 401 `invalid-token` for one that is unknown, used up, or whose session is over; 403 `banned`. */
export async function refresh(node: IdentityNode, ctx: AnyCtx, token: string): Promise<Tokens> {
	const now = new Date();
	const successor = node.signing.successorOf(token);
	const decide = async (tx: Tx): Promise<Renewal | null> => {
		const row = await lockRefreshToken(tx, token, PROFILES_IN_TOKEN, now);
		if (!row) return null;
		const client = { device: deviceOf(ctx), address: ctx.address };
		// It came in a cookie, with the CSRF token of another session.
		const { cookieSession } = ctx.meta;
		if (cookieSession !== undefined && row.sessionId !== cookieSession) throw problem("csrf");
		switch (rotation({ ...row, askingDevice: client.device }, now)) {
			case "rotate": {
				const renewal = goesOn(row);
				rotateRefreshToken(tx, row.sessionId, token, successor, client, now);
				return renewal;
			}
			case "repeat":
				return goesOn(row);
			case "reuse":
				await endFamily(node, tx, ctx, row, now);
				// Answered, not thrown: a throw would undo the revocation.
				return null;
			case "refuse":
				return null;
		}
	};
	// Signing takes its time, too: longer than all the statements.
	const tokens = await onceBefore(ctx, node.db, decide, async (renewal) => renewal && sign(node, renewal, successor, now));
	if (!tokens) throw problem("invalid-token");
	return tokens;
}

/** Throws 401 `invalid-token` where the account or the profile may not go on, 403 `banned`. */
function goesOn(row: RefreshRow): Renewal {
	const { account, profile } = row;
	if (!account || !profile) throw problem("invalid-token");
	try {
		maySignIn(account);
	} catch (error) {
		throw isProblem(error, "invalid-credentials") ? problem("invalid-token") : error;
	}
	return { account, profile, row };
}

function sign(node: IdentityNode, { account, profile, row }: Renewal, refreshToken: string, now: Date): Promise<Tokens> {
	const profiles = row.profileIds.map((id) => ({ id }));
	return issueTokens(node, account, profile, profiles, { id: row.sessionId, authTime: row.authTime, acr: row.acr }, refreshToken, now);
}

async function endFamily(node: IdentityNode, tx: Tx, ctx: AnyCtx, row: RefreshRow, now: Date): Promise<void> {
	await revokeSessions(node, tx, ctx, { sessionId: row.sessionId }, "reuse", now);
	const detail = { accountId: row.accountId };
	const personal = { after: { address: ctx.address, device: deviceOf(ctx) } };
	await addAudit(tx, { actor: null, action: "session.reuse", target: row.sessionId, requestId: ctx.requestId, detail, personal }, now);
}
