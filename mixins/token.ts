// Access tokens, verified where they arrive: no call per request. A token that was verified is remembered until it expires
// or its session is revoked, so that a busy client pays for RSA once. One verifier per process, shared by both doors.
import type { JSONWebKeySet } from "jose";
import { createLocalJWKSet, errors, jwtVerify } from "jose";
import type { Context, ServiceBroker } from "moleculer";
import { problem } from "../services/contracts/errors.ts";
import type { Principal } from "../services/contracts/index.ts";
import { callAction } from "./node.ts";
import { settings } from "./settings.ts";

/** Who a token speaks for, and until when (seconds since 1970). */
export type Verified = Principal & { exp: number };

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
	/** Verified tokens kept in memory; the least recently used go first. */
	remember?: number;
}

export const ALGORITHM = "RS256";
export const TOKEN_TYPE = "at+jwt";
export const AUDIENCE = "reloop";
/** Clocks of two machines may differ by so much, in seconds. */
export const CLOCK_TOLERANCE = 5;
/** Longer ones are not parsed. */
const MAX_TOKEN_LENGTH = 8192;
/** A key we do not know is asked for at most so often (ms): unknown key ids cost an attacker nothing. */
const KEY_RELOAD_MS = 5_000;
const KEY_REFRESH_MS = 300_000;

interface AccessClaims {
	sub: string;
	sid: string;
	jti: string;
	exp: number;
	name: string;
	profile: string;
	roles: string[];
	scope: string;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function toPrincipal(claims: Partial<AccessClaims>): Verified {
	const { sub, sid, exp, name, profile, roles, scope } = claims;
	if (
		!isText(sub) ||
		!isText(sid) ||
		!isText(profile) ||
		!isText(name) ||
		typeof exp !== "number" ||
		!Array.isArray(roles) ||
		typeof scope !== "string"
	)
		throw problem("invalid-token");
	// Frozen here, once: it is passed with every call.
	const scopes = Object.freeze(scope.split(" ").filter(Boolean));
	return Object.freeze({
		accountId: sub,
		sessionId: sid,
		profileId: profile,
		displayName: name,
		roles: Object.freeze([...roles]),
		scopes,
		exp,
	});
}

export function tokenVerifier({ issuer, audience, loadKeys, remember = 50_000 }: VerifierOptions): TokenVerifier {
	const known = new Map<string, Verified>();
	const revoked = new Map<string, number>();
	const listeners: ((sessionId: string) => void)[] = [];
	let keys: ReturnType<typeof createLocalJWKSet> | undefined;
	let loadedAt = Number.NEGATIVE_INFINITY;
	let loading: Promise<void> | undefined;

	const load = () => {
		loading ??= loadKeys()
			.then((set) => {
				keys = createLocalJWKSet(set);
				loadedAt = performance.now();
			})
			.finally(() => {
				loading = undefined;
			});
		return loading;
	};

	const check = async (token: string) => {
		if (!keys || performance.now() - loadedAt > KEY_REFRESH_MS) await load();
		const options = { issuer, audience, algorithms: [ALGORITHM], typ: TOKEN_TYPE, clockTolerance: CLOCK_TOLERANCE };
		try {
			return await jwtVerify<AccessClaims>(token, keys as NonNullable<typeof keys>, options);
		} catch (error) {
			if (!(error instanceof errors.JWKSNoMatchingKey) || performance.now() - loadedAt < KEY_RELOAD_MS) throw error;
			await load();
			return jwtVerify<AccessClaims>(token, keys as NonNullable<typeof keys>, options);
		}
	};

	const alive = (principal: Verified) => {
		if (principal.exp + CLOCK_TOLERANCE <= Date.now() / 1000 || revoked.has(principal.sessionId)) throw problem("invalid-token");
		return principal;
	};

	return {
		async verify(token) {
			const remembered = known.get(token);
			if (remembered) {
				try {
					return alive(remembered);
				} catch (error) {
					known.delete(token);
					throw error;
				}
			}
			if (token.length > MAX_TOKEN_LENGTH) throw problem("invalid-token");
			let principal: Verified;
			try {
				principal = toPrincipal((await check(token)).payload);
			} catch (error) {
				if (error instanceof errors.JOSEError) throw problem("invalid-token");
				throw error;
			}
			alive(principal);
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
/** So often (ms) the identity node is asked for what a lost signal did not say. */
const POLL_MS = 700;

const verifiers = new WeakMap<ServiceBroker, TokenVerifier>();

/**
 * The verifier of this broker's process. It learns of revocations by a signal and by asking the identity node, so that
 * one reaches every door within a second and survives a restart: nothing is verified before it has asked once.
 */
export function tokens(broker: ServiceBroker): TokenVerifier {
	let verifier = verifiers.get(broker);
	if (!verifier) {
		const made = tokenVerifier({
			issuer: settings(broker).PUBLIC_URL,
			audience: AUDIENCE,
			loadKeys: async () => (await callAction(broker, "identity.jwks", {})) as unknown as JSONWebKeySet,
		});
		const ask = async () => {
			const { sessions } = await callAction(broker, "identity.revocations", {});
			for (const { sessionId, until } of sessions) made.revoke(sessionId, Date.parse(until));
		};
		let informed = false;
		let asking: Promise<void> | undefined;
		const inform = () => {
			asking ??= ask()
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
				timer = setInterval(() => inform().catch(() => {}), POLL_MS);
				timer.unref();
			},
			stopped() {
				clearInterval(timer);
			},
		});
		verifier = {
			...made,
			async verify(token) {
				if (!informed) await inform();
				return made.verify(token);
			},
		};
		verifiers.set(broker, verifier);
	}
	return verifier;
}
