// Sessions that ended, and profiles that were deleted, before their tokens expired, as every door must know them. The identity node's database is the truth. With
// Redis the node copies it there several times a second, and says when it did: doors read the copy for as long as it is fresh,
// and ask the node where it is not.
import type { ServiceBroker } from "moleculer";
import type { RedisLink } from "../redis/link.ts";
import { redisOf } from "../redis/redis.ts";

export interface Revocation {
	/** Of a session, or of a profile. */
	id: string;
	/** ISO 8601; until then its tokens must be refused. */
	until: string;
}

/** So often (ms) the node copies, and doors read. */
export const COPY_MS = 500;
/** A copy is fresh for so long (ms) after the node last wrote to it. */
const FRESH_MS = 2_000;
/** Doors read again what was written so long (ms) before they read last: a server that takes over has a clock of its own. */
const OVERLAP_MS = 5_000;
const PORTION = 1_000;

/** A sorted set of "id until", by when it was written; and when the node wrote last. */
const KEYS = ["revoked", "revoked:copied"];

/** Keep (ms), whether all there is has been written with this, then "id until" of each. Answers whether there was a copy. */
const WRITE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call("EXISTS", KEYS[2])
for i = 3, #ARGV do redis.call("ZADD", KEYS[1], "NX", now, ARGV[i]) end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now - tonumber(ARGV[1]))
if before == 1 or ARGV[2] == "1" then redis.call("SET", KEYS[2], now) end
return before
`;

/** Since when (ms). Answers the time, when the node wrote last (or ""), and "id until" of each. */
const READ = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return { now, redis.call("GET", KEYS[2]) or "", redis.call("ZRANGEBYSCORE", KEYS[1], ARGV[1], "+inf") }
`;

/** The node's side. */
export interface RevocationCopy {
	/** Adds some at once; what is lost here comes with the next copy. */
	add(ended: readonly Revocation[]): void;
	/** Copies from now on. */
	start(): void;
	stop(): void;
}

export interface RevocationSource {
	/** What ended since (ms since 1970), or all that still matters. */
	endedSince(since: number | undefined): Promise<Revocation[]>;
	/** How long one matters, in ms. */
	lifetime: number;
	/** What ended may be committed so long (ms) after it ended. */
	overlap: number;
}

/** Undefined without Redis: then doors ask. */
export function copyRevocations(broker: ServiceBroker, { endedSince, lifetime, overlap }: RevocationSource): RevocationCopy | undefined {
	const redis = redisOf(broker);
	if (!redis) return undefined;
	const script = redis.script("revocations-write", WRITE);
	const write = async (ended: readonly Revocation[], whole: boolean): Promise<boolean> => {
		const members = ended.map(({ id, until }) => `${id} ${Date.parse(until)}`);
		for (let from = 0; from < members.length - PORTION; from += PORTION)
			await script(KEYS, [lifetime, 0, ...members.slice(from, from + PORTION)]);
		const rest = members.slice(Math.max(0, Math.ceil(members.length / PORTION) - 1) * PORTION);
		return (await script(KEYS, [lifetime, whole ? 1 : 0, ...rest])) === 1;
	};
	let since: number | undefined;
	let copying = false;
	const copy = async (): Promise<void> => {
		if (copying || !redis.usable) return;
		copying = true;
		try {
			const at = Date.now();
			// Whoever emptied Redis emptied the copy: then all of it is written once more.
			if (!(await write(await endedSince(since), since === undefined)) && since !== undefined)
				await write(await endedSince(undefined), true);
			since = at - overlap;
		} catch (error) {
			broker.logger.debug("What ended could not be copied to Redis; doors will ask.", { error: String(error) });
		} finally {
			copying = false;
		}
	};
	let timer: NodeJS.Timeout | undefined;
	return {
		add: (ended) => void (redis.usable && write(ended, false).catch(() => {})),
		start() {
			void copy();
			timer = setInterval(() => void copy(), COPY_MS);
			timer.unref();
		},
		stop: () => clearInterval(timer),
	};
}

/**
 * A door's side: tells `revoke` what was written since it read last. Answers whether the copy is the truth ("fresh"), was it
 * when the node was last there ("old"), or is none (undefined).
 */
export function readRevocations(redis: RedisLink, revoke: (id: string, until: number) => void): () => Promise<"fresh" | "old" | undefined> {
	const script = redis.script("revocations-read", READ);
	let readAt = 0;
	return async () => {
		let answer: [number, string, string[]];
		try {
			answer = (await script(KEYS, [readAt - OVERLAP_MS])) as [number, string, string[]];
		} catch {
			return undefined;
		}
		const [now, copiedAt, members] = answer;
		for (const member of members) {
			const [id = "", until] = member.split(" ");
			revoke(id, Number(until));
		}
		// Without a copy there is nothing to go on from.
		readAt = copiedAt === "" ? 0 : now;
		if (copiedAt === "") return undefined;
		return now - Number(copiedAt) < FRESH_MS ? "fresh" : "old";
	};
}
