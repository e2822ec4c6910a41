// Levels: every 25 XP is one more, beginning at 0.
import type { Currency } from "../../contracts/gamification.ts";
import type { Award } from "./award.ts";

const XP_PER_LEVEL = 25;

/** @param xp of a profile; a balance below zero has level 0 */
export const levelOf = (xp: number) => Math.max(0, Math.floor(xp / XP_PER_LEVEL));

export interface LevelChange {
	level: number;
	/** More than one below `level` where one payment was worth several. */
	previous: number;
}

/** The level reached by going from one balance to another; null when it is none higher. */
export function levelReached(before: number, after: number): LevelChange | null {
	const [previous, level] = [levelOf(before), levelOf(after)];
	return level > previous ? { level, previous } : null;
}

/** An award with the balance it led to. */
export interface Paid {
	award: Award;
	/** The balance right after it. */
	total: number;
	reached: LevelChange | null;
}

export const accountKey = (profileId: string, currency: Currency) => `${profileId} ${currency}`;

/**
 * Puts the balances between the awards of one portion back together, so that each of them says its own total and level,
 * however many were paid at once.
 * @param balances after all awards, by `accountKey`
 */
export function follow(awards: readonly Award[], balances: ReadonlyMap<string, number>): Paid[] {
	const totals = new Map(balances);
	for (const { profileId, currency, amount } of awards) {
		const key = accountKey(profileId, currency);
		totals.set(key, (totals.get(key) ?? 0) - amount);
	}
	return awards.map((award) => {
		const key = accountKey(award.profileId, award.currency);
		const before = totals.get(key) ?? 0;
		const total = before + award.amount;
		totals.set(key, total);
		return { award, total, reached: award.currency === "xp" ? levelReached(before, total) : null };
	});
}
