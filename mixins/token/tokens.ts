// The verifier of one process, shared by both doors: what tokens are verified with, and how it learns that a session has ended.
import type { JSONWebKeySet } from "jose";
import type { Context } from "moleculer";
import { cacheOf } from "../cache.ts";
import { callAction } from "../call.ts";
import { perBroker } from "../per-broker.ts";
import { sealsFor } from "../principal.ts";
import { redisOf } from "../redis/redis.ts";
import { settings } from "../settings.ts";
import { AUDIENCE } from "./claims.ts";
import { hearRevocations } from "./hearing.ts";
import { COPY_MS } from "./revocations.ts";
import { type TokenVerifier, tokenVerifier } from "./verifier.ts";

/** The signals that a session has ended, that a profile is gone. They may be lost: doors also ask. */
export const SESSION_REVOKED = "identity.session.revoked";
const PROFILE_REVOKED = "identity.profile.revoked";
/** The signal that there are other keys. It may be lost: who meets a key that is not known asks. */
const KEYS_CHANGED = "identity.keys.changed";
/** So often (ms) the identity node is asked for what a lost signal did not say, where there is no Redis to read it from. */
const POLL_MS = 700;
/** Keys are kept for so long (s), for doors that start while the identity node is away. They are read anew all the time. */
export const KEEP_KEYS = 86_400;
export const KEPT_KEYS = "identity.jwks";

/**
 * The verifier of this broker's process. It learns of revocations by a signal, from the copy in Redis, and by asking the
 * identity node, so that one reaches every door within a second and survives a restart: nothing is verified before it has
 * been told once.
 */
export const tokens = perBroker((broker): TokenVerifier => {
	const cache = cacheOf(broker);
	const made = tokenVerifier({
		issuer: settings(broker).PUBLIC_URL,
		audience: AUDIENCE,
		seals: sealsFor(settings(broker).SECRET_KEY),
		async loadKeys() {
			const keys = await callAction(broker, "identity.jwks", {});
			void cache.set(KEPT_KEYS, keys, KEEP_KEYS);
			return keys;
		},
		keptKeys: async () => (await cache.get(KEPT_KEYS)) as JSONWebKeySet | undefined,
	});
	const hearing = hearRevocations(broker, made.revoke, made.keysChanged);
	let timer: NodeJS.Timeout | undefined;
	broker.createService({
		name: "tokens",
		events: {
			[SESSION_REVOKED](ctx: Context<{ sessionId: string; until: string }>) {
				made.revoke(ctx.params.sessionId, Date.parse(ctx.params.until));
			},
			[PROFILE_REVOKED](ctx: Context<{ profileId: string; until: string }>) {
				made.revoke(ctx.params.profileId, Date.parse(ctx.params.until));
			},
			[KEYS_CHANGED]: () => made.keysChanged(),
		},
		started() {
			// Where the identity node is not there yet, whoever brings a token asks.
			const poll = () => {
				if (hearing.possible()) hearing.ask().catch(() => {});
			};
			poll();
			timer = setInterval(poll, redisOf(broker) ? COPY_MS : POLL_MS);
			timer.unref();
		},
		stopped() {
			clearInterval(timer);
		},
	});
	return {
		...made,
		async verify(token) {
			if (!hearing.informed) await hearing.ask();
			return made.verify(token);
		},
	};
});
