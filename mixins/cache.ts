// What was worked out once and may be used again by every process, until it is too old: kept in Redis, without Redis in memory.
// Only for what is the same for everybody: nothing of one person may be kept here. What Redis gives back is believed only if one
// of us has put it there: who can write to Redis must not be able to, say, make a key that signs tokens.
import { createHmac, timingSafeEqual } from "node:crypto";
import { perBroker } from "./per-broker.ts";
import { redisOf } from "./redis/redis.ts";
import { keyFor } from "./secret.ts";
import { settings } from "./settings.ts";

export interface Cache {
	/** Undefined where nothing is kept, or nobody can say. */
	get(name: string): Promise<unknown>;
	/** Keeps a value that JSON can say. */
	set(name: string, value: unknown, seconds: number): Promise<void>;
}

/** What takes longer (ms) is better worked out anew. */
const PATIENCE = 100;

export const cacheOf = perBroker((broker): Cache => {
	const redis = redisOf(broker);
	if (!redis) return memoryCache();
	const key = keyFor(settings(broker).SECRET_KEY, "what is kept in a cache that others can write to");
	const macOf = (name: string, text: string) => createHmac("sha256", key).update(`${name}\n${text}`).digest();
	return {
		async get(name) {
			try {
				const kept = await redis.ask((client) => client.getBuffer(`cache:${name}`), PATIENCE);
				const text = kept?.subarray(32).toString();
				if (!kept || text === undefined || kept.length < 33 || !timingSafeEqual(kept.subarray(0, 32), macOf(name, text))) return undefined;
				return JSON.parse(text);
			} catch {
				return undefined;
			}
		},
		async set(name, value, seconds) {
			const text = JSON.stringify(value);
			const kept = Buffer.concat([macOf(name, text), Buffer.from(text)]);
			// Not kept is worked out again: no harm.
			await redis.ask((client) => client.set(`cache:${name}`, kept, "EX", seconds)).catch(() => {});
		},
	};
});

function memoryCache(): Cache {
	const kept = new Map<string, { text: string; until: number }>();
	return {
		async get(name) {
			const entry = kept.get(name);
			if (entry && entry.until > performance.now()) return JSON.parse(entry.text);
			kept.delete(name);
			return undefined;
		},
		async set(name, value, seconds) {
			kept.set(name, { text: JSON.stringify(value), until: performance.now() + seconds * 1000 });
		},
	};
}
