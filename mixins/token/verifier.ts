// Access tokens, verified where they arrive: no call per request. A token that was verified is remembered until it expires or
// its session is revoked, so that a busy client pays for RSA once.
import { errors, jwtVerify } from "jose";
import { problem } from "../../services/contracts/errors.ts";
import type { Seals } from "../principal.ts";
import { ALGORITHM, type AccessClaims, CLOCK_TOLERANCE, TOKEN_TYPE, toPrincipal, type Verified } from "./claims.ts";
import { type KeySource, keysOf } from "./keys.ts";

export interface TokenVerifier {
	/** Throws 401 `invalid-token` for anything but a living token of ours. */
	verify(token: string): Promise<Verified>;
	/**
	 * From now on the tokens of a session, or of a profile in any session, are refused; forgotten after `until` (ms since 1970), when
	 * all of them have expired anyway.
	 * With `keyName(kid)` in its place: every token that the key has signed, for good.
	 */
	revoke(id: string, until: number): void;
	/** Hears once of each session and profile that is revoked, and of each key by its `keyName`. */
	onRevoked(listener: (id: string) => void): void;
	/** The keys have changed: they are read anew now. */
	keysChanged(): Promise<void>;
}

export interface VerifierOptions extends KeySource {
	issuer: string;
	audience: string;
	/** Makes what a token says believable to other processes. */
	seals: Pick<Seals, "seal">;
	/** Verified tokens kept in memory, about a kilobyte each; the least recently used go first. */
	remember?: number;
}

/** What a compromised key is called among the sessions that have ended. */
export const keyName = (kid: string): string => `kid:${kid}`;
export const isKeyName = (name: string): boolean => name.startsWith("kid:");

/** What the header of a token of ours says. One with more (jku, x5u, jwk, crit …) wants something of us that we never do. */
const HEADER: readonly string[] = ["alg", "kid", "typ"];

/** Longer ones are not parsed. */
const MAX_TOKEN_LENGTH = 8192;

export function tokenVerifier({ issuer, audience, loadKeys, keptKeys, seals, remember = 10_000 }: VerifierOptions): TokenVerifier {
	const known = new Map<string, Verified>();
	const revoked = new Map<string, number>();
	const distrusted = new Set<string>();
	const listeners: ((id: string) => void)[] = [];
	const keys = keysOf({ loadKeys, keptKeys });

	const check = async (token: string) => {
		const options = { issuer, audience, algorithms: [ALGORITHM], typ: TOKEN_TYPE, clockTolerance: CLOCK_TOLERANCE };
		try {
			return await jwtVerify<AccessClaims>(token, await keys.present(), options);
		} catch (error) {
			if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
			if (!(await keys.again())) throw error;
			return jwtVerify<AccessClaims>(token, await keys.present(), options);
		}
	};

	const isAlive = ({ exp, kid, sessionId, profileId }: Verified) =>
		exp + CLOCK_TOLERANCE > Date.now() / 1000 && !distrusted.has(keyName(kid)) && !revoked.has(sessionId) && !revoked.has(profileId);

	return {
		async verify(token) {
			const remembered = known.get(token);
			if (remembered) {
				// Taken out and put back: the map is in order of use.
				known.delete(token);
				if (!isAlive(remembered)) throw problem("invalid-token");
				known.set(token, remembered);
				return remembered;
			}
			if (token.length > MAX_TOKEN_LENGTH) throw problem("invalid-token");
			let principal: Verified;
			try {
				const { payload, protectedHeader } = await check(token);
				const { kid } = protectedHeader;
				if (kid === undefined || !Object.keys(protectedHeader).every((name) => HEADER.includes(name))) throw problem("invalid-token");
				principal = toPrincipal(payload, kid, seals);
			} catch (error) {
				if (error instanceof errors.JOSEError) throw problem("invalid-token");
				throw error;
			}
			if (!isAlive(principal)) throw problem("invalid-token");
			known.set(token, principal);
			if (known.size > remember) known.delete(known.keys().next().value as string);
			return principal;
		},
		revoke(id, until) {
			const now = Date.now();
			for (const [known, end] of revoked) {
				if (end > now) break;
				revoked.delete(known);
			}
			if (revoked.has(id) || distrusted.has(id) || until <= now) return;
			if (isKeyName(id)) {
				distrusted.add(id);
				void keys.changed();
			} else revoked.set(id, until);
			for (const listener of listeners) listener(id);
		},
		onRevoked(listener) {
			listeners.push(listener);
		},
		keysChanged: () => keys.changed(),
	};
}
