// What facts earn by the rules. Pure: what was paid before comes in, what is to be paid goes out.
import type { Currency } from "../../contracts/gamification.ts";
import type { AnyFact } from "../../contracts/index.ts";
import type { Rule } from "./rules.ts";

/** One payment to a profile, with the fact that earned it. */
export interface Award {
	profileId: string;
	currency: Currency;
	amount: number;
	reason: string;
	source: string;
	/** The time of the fact, ISO 8601: it decides the day that the payment counts for. */
	at: string;
	fact: AnyFact;
}

/** What a fact would earn if nothing had been paid before: what the ledger is asked about. */
export type Claim = Award & { day: string; dailyCap: number | null };

/** What the ledger says about the claims. Keys as made by `dayKey` and `claimKey`. */
export interface Paid {
	/** Sum by profile, reason and day. */
	byDay: ReadonlyMap<string, number>;
	/** Claims that were paid before: a fact that is heard twice pays once. */
	claims: ReadonlySet<string>;
}

export const dayKey = (profileId: string, reason: string, day: string) => `${profileId} ${reason} ${day}`;
export const claimKey = (profileId: string, reason: string, source: string) => `${profileId} ${reason} ${source}`;
/** The UTC day of an ISO time. */
export const dayOf = (at: string) => new Date(at).toISOString().slice(0, 10);

/** Everything the facts could earn, in their order. */
export function claimsOf(rules: readonly Rule[], facts: readonly AnyFact[]): Claim[] {
	return facts.flatMap((fact) =>
		rules.flatMap(({ id, currency, amount, dailyCap, earned }) => {
			const claim = earned(fact);
			return claim ? [{ ...claim, currency, amount, reason: id, at: fact.at, fact, day: dayOf(fact.at), dailyCap }] : [];
		}),
	);
}

/** What is really paid: each claim once, and of a capped rule only what the day has left. */
export function award(claims: readonly Claim[], paid: Paid): Award[] {
	const byDay = new Map(paid.byDay);
	const seen = new Set(paid.claims);
	const awards: Award[] = [];
	for (const { day, dailyCap, ...claim } of claims) {
		const key = claimKey(claim.profileId, claim.reason, claim.source);
		if (seen.has(key)) continue;
		seen.add(key);
		const today = dayKey(claim.profileId, claim.reason, day);
		const before = byDay.get(today) ?? 0;
		const amount = dailyCap === null ? claim.amount : Math.min(claim.amount, dailyCap - before);
		if (amount <= 0) continue;
		byDay.set(today, before + amount);
		awards.push({ ...claim, amount });
	}
	return awards;
}
