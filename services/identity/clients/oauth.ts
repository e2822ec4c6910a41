// The token endpoint of RFC 6749: the same sign-in and the same rotation in that standard's words.
import { decodeJwt } from "jose";
import { isProblem } from "../../contracts/errors.ts";
import type { Answer, Ctx, Params } from "../../contracts/index.ts";
import type { Tokens } from "../../contracts/identity.ts";
import { authenticateClient, clientToken, oauthRefusal as refusal } from "./client-credentials.ts";
import type { IdentityNode } from "../node.ts";
import { openSession } from "../node.ts";
import { refresh } from "../sign-in/refresh.ts";
import { signIn } from "../sign-in/sign-in.ts";

/**
 * The answer says what scope the tokens have: scopes follow from the account's role, and what is asked for is ignored, as
 * section 3.3 permits.
 */
function answer({ accessToken, refreshToken, tokenType, expiresIn }: Tokens): Answer<"auth.token"> {
	const { scope } = decodeJwt<{ scope: string }>(accessToken);
	return { access_token: accessToken, refresh_token: refreshToken, token_type: tokenType, expires_in: expiresIn, scope };
}

export async function grant(node: IdentityNode, ctx: Ctx<unknown>, asked: Params<"auth.token">): Promise<Answer<"auth.token">> {
	const { grant_type, username, password, refresh_token, client_secret } = asked;
	try {
		// A client that names itself at another grant must be right, too (RFC 6749, 3.2.1).
		if (client_secret && grant_type !== "client_credentials") await authenticateClient(node, asked);
		switch (grant_type) {
			case undefined:
				throw refusal("invalid_request", "grant_type is missing.");
			case "password":
				if (!username || !password) throw refusal("invalid_request", "username and password are needed.");
				return answer((await signIn(node, ctx, { email: username, password }, openSession)).tokens);
			case "refresh_token":
				if (!refresh_token) throw refusal("invalid_request", "refresh_token is missing.");
				return answer(await refresh(node, ctx, refresh_token));
			case "client_credentials":
				return await clientToken(node, ctx, asked);
			default:
				throw refusal("unsupported_grant_type", "grant_type must be password, refresh_token or client_credentials.");
		}
	} catch (error) {
		if (!isProblem(error) || error.data.oauth) throw error;
		if (error.type === "invalid-credentials") throw refusal("invalid_grant", "The e-mail or the password is wrong.");
		if (error.type === "invalid-token") throw refusal("invalid_grant", "The refresh token is unknown, used up or expired.");
		if (error.type === "mfa-required")
			throw refusal("invalid_grant", "The account has a second factor, which this grant cannot ask for: sign in at /api/auth/login.");
		if (error.type === "banned") throw refusal("invalid_grant", "The account is banned.");
		throw error;
	}
}
