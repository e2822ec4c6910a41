// What a token is, as the database knows it at this moment: for clients that ask, and for ending it.
import { decodeJwt } from "jose";
import { AUDIENCE } from "../../../mixins/token/claims.ts";
import { tokenVerifier } from "../../../mixins/token/verifier.ts";
import { isProblem } from "../../contracts/errors.ts";
import type { Answer } from "../../contracts/index.ts";
import { maySignIn } from "../domain/login.ts";
import type { IdentityNode } from "../node.ts";
import { findAccount } from "../store/accounts.ts";
import { isClientSessionOpen } from "../store/clients.ts";
import type { TokenState } from "../store/refresh-tokens.ts";
import { findRefreshToken } from "../store/refresh-tokens.ts";
import { findSession } from "../store/sessions.ts";

interface Claims {
	sub: string;
	sid: string;
	jti: string;
	iat: number;
	exp: number;
	scope: string;
	client_id?: string;
}
type Introspection = Answer<"clients.introspect">;

/** The claims of an access token of ours that has not expired, by the rules of the doors; undefined for anything else. */
export async function claimsOf({ signing, issuer }: IdentityNode, token: string): Promise<Claims | undefined> {
	const loadKeys = async () => ({ keys: await signing.publicKeys() });
	// Nothing is remembered, and nobody's word is sealed: the database is asked at once.
	const verifier = tokenVerifier({ issuer, audience: AUDIENCE, loadKeys, seals: { seal: (principal) => principal }, remember: 0 });
	try {
		await verifier.verify(token);
		return decodeJwt<Claims>(token);
	} catch (error) {
		if (isProblem(error, "invalid-token")) return undefined;
		throw error;
	}
}

async function mayBeUsed({ db }: IdentityNode, accountId: string, session: TokenState, now: Date): Promise<boolean> {
	if (session.endedAt || session.expiresAt <= now.toISOString()) return false;
	const account = await findAccount(db, { id: accountId });
	try {
		if (account) maySignIn(account);
		return account !== undefined;
	} catch (error) {
		if (isProblem(error)) return false;
		throw error;
	}
}

const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);

/** RFC 7662, 2.2. */
export async function introspect(node: IdentityNode, token: string): Promise<Introspection> {
	const now = new Date();
	const claims = await claimsOf(node, token);
	if (claims) {
		const { sub, sid, jti, iat, exp, scope, client_id } = claims;
		const session = client_id ? undefined : await findSession(node.db, sid);
		const active = client_id ? await isClientSessionOpen(node.db, sid) : session && (await mayBeUsed(node, sub, session, now));
		if (!active) return { active: false };
		const own = client_id ? { client_id } : {};
		return { active, scope, ...own, token_type: "Bearer", exp, iat, sub, aud: AUDIENCE, iss: node.issuer, jti, sid };
	}
	const found = await findRefreshToken(node.db, token);
	if (!found || found.usedAt || !(await mayBeUsed(node, found.accountId, found, now))) return { active: false };
	const { accountId, sessionId, createdAt, expiresAt } = found;
	return { active: true, exp: seconds(expiresAt), iat: seconds(createdAt), sub: accountId, iss: node.issuer, sid: sessionId };
}
