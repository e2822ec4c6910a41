// Request limits in memory: so many units in so many seconds for each key, spent at once or spread. One number per key
// (the generic cell rate algorithm): the instant at which the key would be unused again. The number of keys is bounded.

export interface Quota {
	/** Units that may be spent at once. */
	units: number;
	/** Seconds in which that many units come back. */
	seconds: number;
}

export interface Verdict {
	allowed: boolean;
	/** Units left now. */
	remaining: number;
	/** Whole seconds until all units are back. */
	resetSeconds: number;
	/** Whole seconds until one unit is back; 0 where one is left. */
	retrySeconds: number;
}

export interface Limiter {
	readonly quota: Quota;
	/** Spends one unit of the key, if there is one. `now` is in milliseconds. */
	take(key: string, now?: number): Verdict;
	/** Keys remembered at present. */
	size(): number;
}

const MAX_KEYS = 50_000;

export function makeLimiter(quota: Quota, maxKeys = MAX_KEYS): Limiter {
	const window = quota.seconds * 1000;
	const cost = window / quota.units;
	const unusedAt = new Map<string, number>();

	// A key that is unused again is the same as one never seen. If an attacker fills the map with live keys, the oldest
	// tenth goes: forgetting them is a smaller harm than growing without bound.
	const makeRoom = (now: number): void => {
		for (const [key, at] of unusedAt) if (at <= now) unusedAt.delete(key);
		if (unusedAt.size < maxKeys) return;
		let surplus = Math.ceil(maxKeys / 10);
		for (const key of unusedAt.keys()) {
			if (surplus-- <= 0) return;
			unusedAt.delete(key);
		}
	};

	return {
		quota,
		take(key, now = Date.now()) {
			const known = unusedAt.get(key);
			const from = known === undefined || known < now ? now : Math.min(known, now + window);
			// A clock that was set back must not lock anybody out for longer than one window.
			if (known !== undefined && known > from) unusedAt.set(key, from);
			const next = from + cost;
			const spent = next - now;
			// The tolerance is for sums of fractions: 60 times 1000/60 is a little more than 1000.
			if (spent > window + cost * 1e-6) {
				return {
					allowed: false,
					remaining: 0,
					resetSeconds: Math.ceil((from - now) / 1000),
					retrySeconds: Math.max(1, Math.ceil((spent - window) / 1000)),
				};
			}
			if (known === undefined && unusedAt.size >= maxKeys) makeRoom(now);
			unusedAt.set(key, next);
			return {
				allowed: true,
				remaining: Math.floor((window - spent) / cost + 1e-6),
				resetSeconds: Math.ceil(spent / 1000),
				retrySeconds: 0,
			};
		},
		size: () => unusedAt.size,
	};
}
