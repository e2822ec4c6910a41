// Access tokens, verified where they arrive: no call per request. A token that was verified is remembered until it expires
// or its session is revoked, so that a busy client pays for RSA once. One verifier per process, shared by both doors.
import type { JSONWebKeySet } from "jose";
import { createLocalJWKSet, errors, jwtVerify } from "jose";
import type { Context } from "moleculer";
import { problem } from "../../services/contracts/errors.ts";
import type { Principal } from "../../services/contracts/index.ts";
import { callAction } from "../call.ts";
import type { Seals } from "../principal.ts";
import { sealsFor } from "../principal.ts";
import { cacheOf } from "../cache.ts";
import { perBroker } from "../per-broker.ts";
import { redisOf } from "../redis.ts";
import { COPY_MS, readRevocations } from "./revocations.ts";
import { settings } from "../settings.ts";

/** Who a token speaks for, and until when (seconds since 1970). */
export type Verified = Principal & { readonly exp: number };

export interface TokenVerifier {
	/** Throws 401 `invalid-token` for anything but a living token of ours. */
	verify(token: string): Promise<Verified>;
	/** From now on the session's tokens are refused; forgotten after `until` (ms since 1970), when all of them have expired anyway. */
	revoke(sessionId: string, until: number): void;
	/** Hears of each revoked session once. */
	onRevoked(listener: (sessionId: string) => void): void;
}

export interface VerifierOptions {
	issuer: string;
	audience: string;
	loadKeys: () => Promise<JSONWebKeySet>;
	/** Keys that were known before, to begin with while those of today are read. */
	keptKeys?: () => Promise<JSONWebKeySet | undefined>;
	/** Makes what a token says believable to other processes. */
	seals: Pick<Seals, "seal">;
	/** Verified tokens kept in memory, about a kilobyte each; the least recently used go first. */
	remember?: number;
}

export const ALGORITHM = "RS256";
export const TOKEN_TYPE = "at+jwt";
export const AUDIENCE = "reloop";
/** Clocks of two machines may differ by so much, in seconds. */
export const CLOCK_TOLERANCE = 5;
/** Longer ones are not parsed. */
const MAX_TOKEN_LENGTH = 8192;
/** Keys are asked for at most so often (ms), whoever names an unknown one and whatever came of the last time. */
const KEY_RELOAD_MS = 5_000;
/** Known keys are used for so long (ms) before they are read anew. New ones are published for longer before they sign. */
export const KEY_REFRESH_MS = 300_000;

interface AccessClaims {
	sub: string;
	sid: string;
	jti: string;
	iat: number;
	exp: number;
	name: string;
	profile: string;
	roles: string[];
	scope: string;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function toPrincipal(claims: Partial<AccessClaims>, seals: Pick<Seals, "seal">): Verified {
	const { sub, sid, jti, iat, exp, name, profile, roles, scope } = claims;
	if (
		!isText(sub) ||
		!isText(sid) ||
		!isText(jti) ||
		!isText(profile) ||
		!isText(name) ||
		typeof exp !== "number" ||
		typeof iat !== "number" ||
		iat - CLOCK_TOLERANCE > Date.now() / 1000 ||
		!Array.isArray(roles) ||
		typeof scope !== "string"
	)
		throw problem("invalid-token");
	const scopes = scope.split(" ").filter(Boolean);
	const token = { jti, iat };
	// Sealed and frozen here, once: it is passed with every call.
	const sealed = seals.seal({ accountId: sub, sessionId: sid, profileId: profile, displayName: name, roles, scopes, token }, exp);
	return Object.freeze({ ...sealed, exp });
}

export function tokenVerifier({ issuer, audience, loadKeys, keptKeys, seals, remember = 10_000 }: VerifierOptions): TokenVerifier {
	const known = new Map<string, Verified>();
	const revoked = new Map<string, number>();
	const listeners: ((sessionId: string) => void)[] = [];
	let keys: ReturnType<typeof createLocalJWKSet> | undefined;
	let loadedAt = Number.NEGATIVE_INFINITY;
	let triedAt = Number.NEGATIVE_INFINITY;
	let loading: Promise<void> | undefined;

	const load = () => {
		loading ??= loadKeys()
			.then((set) => {
				keys = createLocalJWKSet(set);
				loadedAt = performance.now();
			})
			.finally(() => {
				triedAt = performance.now();
				loading = undefined;
			});
		return loading;
	};

	/** The keys as known. Old ones are better than none: while they are read anew, and where that fails, they stay in use. */
	const present = async () => {
		if (!keys && keptKeys) {
			const kept = await keptKeys();
			if (kept) keys ??= createLocalJWKSet(kept);
		}
		if (!keys) await load();
		else if (performance.now() - loadedAt > KEY_REFRESH_MS && performance.now() - triedAt > KEY_RELOAD_MS) load().catch(() => {});
		return keys as NonNullable<typeof keys>;
	};

	const check = async (token: string) => {
		const options = { issuer, audience, algorithms: [ALGORITHM], typ: TOKEN_TYPE, clockTolerance: CLOCK_TOLERANCE };
		try {
			return await jwtVerify<AccessClaims>(token, await present(), options);
		} catch (error) {
			if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
			if (!loading && performance.now() - triedAt < KEY_RELOAD_MS) throw error;
			await load();
			return jwtVerify<AccessClaims>(token, await present(), options);
		}
	};

	const isAlive = ({ exp, sessionId }: Verified) => exp + CLOCK_TOLERANCE > Date.now() / 1000 && !revoked.has(sessionId);

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
				principal = toPrincipal((await check(token)).payload, seals);
			} catch (error) {
				if (error instanceof errors.JOSEError) throw problem("invalid-token");
				throw error;
			}
			if (!isAlive(principal)) throw problem("invalid-token");
			known.set(token, principal);
			if (known.size > remember) known.delete(known.keys().next().value as string);
			return principal;
		},
		revoke(sessionId, until) {
			const now = Date.now();
			for (const [id, end] of revoked) {
				if (end > now) break;
				revoked.delete(id);
			}
			if (revoked.has(sessionId) || until <= now) return;
			revoked.set(sessionId, until);
			for (const listener of listeners) listener(sessionId);
		},
		onRevoked(listener) {
			listeners.push(listener);
		},
	};
}

/** The signal that a session has ended. It may be lost: doors also ask. */
export const SESSION_REVOKED = "identity.session.revoked";
/** So often (ms) the identity node is asked for what a lost signal did not say, where there is no Redis to read it from. */
const POLL_MS = 700;
/** Where there is, it is asked in any case so often (ms). */
const ASK_ANYWAY_MS = 10_000;
export const ASK_OVERLAP_MS = 60_000;
/** A node that does not answer in this time (ms) is away, where there is something to go on with. */
const ASK_PATIENCE_MS = 2_000;
/** Keys are kept for so long (s), for doors that start while the identity node is away. They are read anew all the time. */
const KEEP_KEYS = 86_400;
const KEPT = "identity.jwks";

/**
 * The verifier of this broker's process. It learns of revocations by a signal, from the copy in Redis, and by asking the
 * identity node, so that one reaches every door within a second and survives a restart: nothing is verified before it has
 * been told once.
 */
export const tokens = perBroker((broker): TokenVerifier => {
	const redis = redisOf(broker);
	const cache = cacheOf(broker);
	const made = tokenVerifier({
		issuer: settings(broker).PUBLIC_URL,
		audience: AUDIENCE,
		seals: sealsFor(settings(broker).SECRET_KEY),
		async loadKeys() {
			const keys = (await callAction(broker, "identity.jwks", {})) as unknown as JSONWebKeySet;
			void cache.set(KEPT, keys, KEEP_KEYS);
			return keys;
		},
		keptKeys: async () => (await cache.get(KEPT)) as JSONWebKeySet | undefined,
	});
	const readCopy = redis && readRevocations(redis, made.revoke);
	let since: string | undefined;
	let askedAt = Number.NEGATIVE_INFINITY;
	const ask = async (timeout?: number) => {
		const params = since ? { since } : {};
		const { sessions, at } = await callAction(broker, "identity.revocations", params, timeout === undefined ? {} : { timeout });
		for (const { sessionId, until } of sessions) made.revoke(sessionId, Date.parse(until));
		// A revocation decided before `at` may have been committed after it: the next question overlaps.
		since = new Date(Date.parse(at) - ASK_OVERLAP_MS).toISOString();
		askedAt = performance.now();
	};
	const isThere = () => broker.registry?.getActionEndpoints("identity.revocations")?.hasAvailable() === true;
	const hear = async () => {
		const copy = await readCopy?.();
		if (copy === "fresh" && performance.now() - askedAt < ASK_ANYWAY_MS) return;
		try {
			if (!isThere()) throw problem("unavailable");
			await ask(copy ? ASK_PATIENCE_MS : undefined);
		} catch (error) {
			// While the node is away nobody ends a session: what it copied last is the truth.
			if (!copy) throw error;
		}
	};
	let informed = false;
	let asking: Promise<void> | undefined;
	const inform = () => {
		asking ??= hear()
			.then(() => {
				informed = true;
			})
			.finally(() => {
				asking = undefined;
			});
		return asking;
	};
	let timer: NodeJS.Timeout | undefined;
	broker.createService({
		name: "tokens",
		events: {
			[SESSION_REVOKED](ctx: Context<{ sessionId: string; until: string }>) {
				made.revoke(ctx.params.sessionId, Date.parse(ctx.params.until));
			},
		},
		started() {
			// Where the identity node is not there yet, whoever brings a token asks.
			const poll = () => {
				if (redis?.usable || isThere()) inform().catch(() => {});
			};
			poll();
			timer = setInterval(poll, redis ? COPY_MS : POLL_MS);
			timer.unref();
		},
		stopped() {
			clearInterval(timer);
		},
	});
	return {
		...made,
		async verify(token) {
			if (!informed) await inform();
			return made.verify(token);
		},
	};
});
