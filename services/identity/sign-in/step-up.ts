// Who is signed in says once more who they are: the same session goes on, with tokens that open what asks for that.
import { once, onceAfter } from "../../../mixins/idempotency.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { problem } from "../../contracts/errors.ts";
import type { SignedIn, Tokens } from "../../contracts/identity.ts";
import type { Ctx, Params } from "../../contracts/index.ts";
import { proveByCode } from "./codes.ts";
import { maySignIn } from "../domain/login.ts";
import { kindOf } from "../domain/mfa.ts";
import type { IdentityNode } from "../node.ts";
import { issueTokens, PROFILES_IN_TOKEN, viewAccount } from "../node.ts";
import { accountOfPasskey } from "./passkeys.ts";
import { wrongFactor } from "./second-step.ts";
import { authenticate } from "./sign-in.ts";
import { findAccount, holdAccount } from "../store/accounts.ts";
import { shownProfile } from "../profiles/shown.ts";
import { findProfile, profilesOf } from "../store/profiles.ts";
import { supersedeRefreshTokens } from "../store/refresh-tokens.ts";
import { strengthenSession } from "../store/sessions.ts";

type AnyCtx = Ctx<unknown>;

/** Throws 401 `invalid-credentials`, `invalid-token`, 403 `banned`, 422 unless exactly one thing is given, 429. */
export async function stepUp(node: IdentityNode, ctx: AnyCtx, given: Params<"mfa.stepUp">): Promise<Tokens> {
	const { password, code, response } = given;
	const { accountId } = ctx.caller;
	if ([password, code, response].filter((one) => one !== undefined).length !== 1)
		throw problem("validation", { errors: [{ path: "", code: "type", message: "must have one of password, code, response" }] });
	if (password !== undefined) {
		const authenticated = async () => {
			const account = await findAccount(node.db, { id: accountId });
			if (!account) throw problem("invalid-token");
			return authenticate(node, ctx, { email: account.email, password });
		};
		return onceAfter(ctx, node.db, authenticated, async (tx) => (await renewed(node, tx, ctx, new Date())).tokens);
	}
	const now = new Date();
	const tokens = await once(ctx, node.db, async (tx) => {
		const proved =
			code !== undefined
				? await proveByCode(tx, ctx, accountId, kindOf(code), code, now)
				: response !== undefined && (await accountOfPasskey(tx, ctx, response, now))?.id === accountId;
		// Answered, not thrown: a throw would forget that it was tried.
		return proved ? (await renewed(node, tx, ctx, now)).tokens : null;
	});
	if (!tokens) throw wrongFactor();
	return tokens;
}

/**
 * The caller's session, which was proved anew, with its tokens. The refresh token of before is good until the new one is used. Throws 401
 * `invalid-token`, 403 `banned`.
 */
export async function renewed(node: IdentityNode, tx: Tx, ctx: AnyCtx, now: Date, provedAt = now): Promise<SignedIn> {
	const { accountId, sessionId } = ctx.caller;
	const account = await holdAccount(tx, accountId);
	if (!account) throw problem("invalid-token");
	maySignIn(account);
	const session = await strengthenSession(tx, { sessionId, accountId }, now, provedAt);
	const profile = session && (await findProfile(tx, session.profileId));
	if (!session || !profile) throw problem("invalid-token");
	const refreshToken = node.signing.newRefreshToken();
	await supersedeRefreshTokens(tx, sessionId, refreshToken, now);
	const profiles = await profilesOf(tx, accountId, null, PROFILES_IN_TOKEN);
	const tokens = await issueTokens(node, account, profile, profiles, session, refreshToken, now);
	return { account: viewAccount(account), profile: shownProfile(ctx.broker, profile), tokens };
}
