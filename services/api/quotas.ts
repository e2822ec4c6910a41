// How many requests one caller may make, over all doors: per profile, or per address where there is no token.
// RATE_LIMIT_FACTOR multiplies all of them.
import type { Quota, SharedLimiter } from "../../mixins/limits.ts";
import { problem } from "../contracts/errors.ts";
import type { LimitName } from "./route.ts";

/** "refused" counts tokens that were not good: guessing them is not a way around the other limits. */
const QUOTAS = {
	read: { units: 1200, seconds: 60 },
	write: { units: 600, seconds: 60 },
	auth: { units: 60, seconds: 60 },
	refused: { units: 300, seconds: 60 },
} as const satisfies Record<LimitName | "refused", { units: number; seconds: number }>;

export interface Quotas {
	/** Spends one unit; adds the RateLimit fields to `headers`. Throws 429 rate-limited with `retryAfter`. */
	spend(name: LimitName | "refused", key: string, headers: string[]): Promise<void>;
}

/** @param limiter makes the limiter of a quota; every process asks for it by the same name */
export function makeQuotas(factor: number, limiter: (name: string, quota: Quota) => SharedLimiter): Quotas {
	const limits = new Map<string, { limiter: SharedLimiter; policy: string }>();
	for (const [name, { units, seconds }] of Object.entries(QUOTAS)) {
		const scaled = Math.max(1, Math.floor(units * factor));
		limits.set(name, { limiter: limiter(`http:${name}`, { units: scaled, seconds }), policy: `"${name}";q=${scaled};w=${seconds}` });
	}
	return {
		async spend(name, key, headers) {
			const { limiter, policy } = limits.get(name) as { limiter: SharedLimiter; policy: string };
			const verdict = await limiter.take(key);
			headers.push("RateLimit-Policy", policy, "RateLimit", `"${name}";r=${verdict.remaining};t=${verdict.resetSeconds}`);
			if (!verdict.allowed) throw problem("rate-limited", { retryAfter: verdict.retrySeconds });
		},
	};
}
