// Access tokens for tests of one door without the identity node: a key, what it signs, and the node that publishes both
// its public half and the sessions that were revoked.
import { randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { settings } from "../../mixins/settings.ts";
import { ALGORITHM, AUDIENCE, TOKEN_TYPE } from "../../mixins/token/claims.ts";
import { SESSION_REVOKED } from "../../mixins/token/tokens.ts";

export interface Claims {
	/** Seconds; negative for one that has expired. */
	expiresIn?: number;
	sessionId?: string;
	accountId?: string;
}

export async function makeIssuer() {
	const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
	const keys = [{ ...(await exportJWK(publicKey)), kid: "test", alg: ALGORITHM, use: "sig" }];
	const accounts = new Map<string, string>();
	let broker: ServiceBroker | undefined;
	/** The account a profile's tokens name unless told otherwise. */
	const accountOf = (profileId: string): string => {
		const accountId = accounts.get(profileId) ?? randomUUID();
		accounts.set(profileId, accountId);
		return accountId;
	};
	return {
		accountOf,
		nodes: (at: ServiceBroker): ServiceSchema[] => {
			broker = at;
			return [
				{
					name: "identity",
					actions: {
						jwks: { visibility: "public", handler: () => ({ keys }) },
						revocations: { visibility: "public", handler: () => ({ at: new Date().toISOString(), sessions: [] }) },
					},
				},
			];
		},
		token(
			profileId: string,
			{ expiresIn = 600, sessionId = randomUUID(), accountId = accountOf(profileId) }: Claims = {},
		): Promise<string> {
			const now = Math.floor(Date.now() / 1000);
			return new SignJWT({ sid: sessionId, name: "Ana", profile: profileId, roles: ["user"], scope: "" })
				.setProtectedHeader({ alg: ALGORITHM, typ: TOKEN_TYPE, kid: "test" })
				.setIssuer(settings(broker as ServiceBroker).PUBLIC_URL)
				.setAudience(AUDIENCE)
				.setSubject(accountId)
				.setJti(randomUUID())
				.setIssuedAt(now)
				.setExpirationTime(now + expiresIn)
				.sign(privateKey);
		},
		revoke: (sessionId: string) => broker?.broadcast(SESSION_REVOKED, { sessionId, until: new Date(Date.now() + 600_000).toISOString() }),
	};
}
