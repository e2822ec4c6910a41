// How a door hears of sessions that ended and of profiles that were deleted: from the copy in Redis while that is fresh, else by asking the identity node.
import type { ServiceBroker } from "moleculer";
import { problem } from "../../services/contracts/errors.ts";
import { callAction } from "../call.ts";
import { redisOf } from "../redis/redis.ts";
import { readRevocations } from "./revocations.ts";

/** Where there is a copy, the node is asked in any case so often (ms). */
const ASK_ANYWAY_MS = 10_000;
/** Each question begins so long (ms) before the last answer: a session that ended then may have been committed after it. */
export const ASK_OVERLAP_MS = 60_000;
/** A node that does not answer in this time (ms) is away, where there is something to go on with. */
const ASK_PATIENCE_MS = 2_000;

/** What one door does to know who was signed out. */
export interface Hearing {
	/** Asks once; a question that is under way is everybody's. Rejects where neither copy nor node answers. */
	ask(): Promise<void>;
	/** Whether there is somebody to ask. */
	possible(): boolean;
	/** Whether it was told once: before that nothing can be verified. */
	readonly informed: boolean;
}

/** @param keysChanged the node has other keys than it had when it was asked last */
export function hearRevocations(
	broker: ServiceBroker,
	revoke: (id: string, until: number) => void,
	keysChanged: () => Promise<void>,
): Hearing {
	const redis = redisOf(broker);
	const readCopy = redis && readRevocations(redis, revoke);
	let since: string | undefined;
	let kids: string | undefined;
	let askedAt = Number.NEGATIVE_INFINITY;
	const ask = async (timeout?: number) => {
		const params = since ? { since } : {};
		// A node of an older version tells of sessions only.
		const {
			sessions,
			profiles = [],
			keys,
			at,
		} = await callAction(broker, "identity.revocations", params, timeout === undefined ? {} : { timeout });
		for (const { sessionId, until } of sessions) revoke(sessionId, Date.parse(until));
		for (const { profileId, until } of profiles) revoke(profileId, Date.parse(until));
		const known = kids;
		kids = keys?.join();
		// Read before a token comes that one of them has signed.
		if (known !== undefined && known !== kids) void keysChanged();
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
	return {
		ask: inform,
		possible: () => redis?.usable === true || isThere(),
		get informed() {
			return informed;
		},
	};
}
