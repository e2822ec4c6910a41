// Request limits: so many units in so many seconds for each key, spent at once or spread. One number per key (the generic cell
// rate algorithm): the instant at which the key would be unused again. In memory, with a bounded number of keys; or, where
// several processes must count together, in Redis by its own clock, and in memory again for as long as Redis does not answer.
import type { ServiceBroker } from "moleculer";
import { redisOf } from "./redis/redis.ts";

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

/** A limiter that all processes may share: its verdict may have to be waited for. */
export interface SharedLimiter {
	readonly quota: Quota;
	/** Spends one unit of the key, if there is one. Never rejects. */
	take(key: string): Verdict | Promise<Verdict>;
}

const MAX_KEYS = 50_000;
/** Redis has so long (ms) for a verdict: a request that only asks whether it may be made should not wait for it. */
const VERDICT_MS = 100;

export function makeLimiter(quota: Quota, maxKeys = MAX_KEYS): Limiter {
	const window = quota.seconds * 1000;
	const cost = window / quota.units;
	const unusedAt = new Map<string, number>();
	const forwards = onlyForwards();

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
		take(key, clock = Date.now()) {
			const now = forwards(clock);
			const known = unusedAt.get(key);
			const from = known === undefined || known < now ? now : known;
			const next = from + cost;
			const spent = next - now;
			// The tolerance is for sums of fractions: 60 times 1000/60 is a little more than 1000.
			if (spent > window + cost * 1e-6) return verdict(quota, false, from - now);
			if (known === undefined && unusedAt.size >= maxKeys) makeRoom(now);
			unusedAt.set(key, next);
			return verdict(quota, true, spent);
		},
		size: () => unusedAt.size,
	};
}

/**
 * A clock that is set back would have everybody wait who has spent anything, and what is forgotten for that would be a gift to who
 * has spent everything: so its time stands still for that moment, and goes on from there.
 */
function onlyForwards(): (clock: number) => number {
	let [last, ahead] = [Number.NEGATIVE_INFINITY, 0];
	return (clock) => {
		if (clock + ahead < last) ahead = last - clock;
		last = clock + ahead;
		return last;
	};
}

/** The same as `take` above, for one key of Redis. Answers whether it is allowed, and ms until the key is unused again. */
const TAKE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + time[2] / 1000
local window, units = tonumber(ARGV[1]), tonumber(ARGV[2])
local cost = window / units
local from = math.max(now, math.min(tonumber(redis.call("GET", KEYS[1]) or 0), now + window))
local spent = from + cost - now
if spent > window + cost * 1e-6 then return { 0, tostring(from - now) } end
redis.call("SET", KEYS[1], string.format("%.6f", from + cost), "PX", math.ceil(spent))
return { 1, tostring(spent) }
`;

/** The limiter of that name in every process; `name` keeps its keys apart from those of others. */
export function limiterOf(broker: ServiceBroker, name: string, quota: Quota): SharedLimiter {
	const own = makeLimiter(quota);
	const redis = redisOf(broker);
	if (!redis) return own;
	const ask = redis.script("take", TAKE);
	return {
		quota,
		async take(key) {
			if (!redis.usable) return own.take(key);
			try {
				const answer = await ask([`limit:${name}:${key}`], [quota.seconds * 1000, quota.units], VERDICT_MS);
				const [allowed, spent] = answer as [number, string];
				return verdict(quota, allowed === 1, Number(spent));
			} catch {
				return own.take(key);
			}
		},
	};
}

/** @param spent ms until all units are back */
function verdict({ units, seconds }: Quota, allowed: boolean, spent: number): Verdict {
	const window = seconds * 1000;
	const cost = window / units;
	return {
		allowed,
		remaining: allowed ? Math.floor((window - spent) / cost + 1e-6) : 0,
		resetSeconds: Math.ceil(spent / 1000),
		retrySeconds: allowed ? 0 : Math.max(1, Math.ceil((spent + cost - window) / 1000)),
	};
}
