// What of the facts of other nodes goes into a profile's own room, and as what.
import type { AnyFact } from "../../contracts/index.ts";

/** One event for the room of one profile. */
export interface Notice {
	profileId: string;
	type: "xp" | "level";
	at: string;
	/** The fact's: the same cause is the same event. */
	id: string;
	body: Record<string, string | number>;
}

/** The facts `toNotice` knows. */
export const noticed = ["gamification.points.awarded", "gamification.level.reached"] as const;

/** Undefined where the profile is not told. */
export function toNotice(fact: AnyFact): Notice | undefined {
	const { id, at } = fact;
	switch (fact.type) {
		case "gamification.points.awarded": {
			const { profileId, currency, amount, reason, source, total } = fact.payload;
			return currency === "xp" ? { profileId, type: "xp", at, id, body: { amount, reason, source, total } } : undefined;
		}
		case "gamification.level.reached": {
			const { profileId, level, previous } = fact.payload;
			return { profileId, type: "level", at, id, body: { level, previous } };
		}
		default:
			return undefined;
	}
}

/** Numbers notices: each room goes on from its head. */
export function number(notices: readonly Notice[], heads: ReadonlyMap<string, number>): (Notice & { seq: number })[] {
	const next = new Map(heads);
	return notices.map((notice) => {
		const seq = (next.get(notice.profileId) ?? 0) + 1;
		next.set(notice.profileId, seq);
		return { ...notice, seq };
	});
}
