// What earns what: one row per award. A new award is a new row; since facts are kept, it can be replayed over the past.
import type { Currency } from "../../contracts/gamification.ts";
import type { AnyFact, FactName, FactPayload } from "../../contracts/index.ts";

interface Row<N extends FactName> {
	/** The `reason` of the ledger entries. Never changed: with `source` it is what makes a fact pay once. */
	id: string;
	fact: N;
	currency: Currency;
	amount: number;
	/** Most that this row pays to one profile in one UTC day; null for no limit. */
	dailyCap: number | null;
	/** Who earns it, as a word for people, and the profile's id in the fact. */
	who: string;
	profile: (payload: FactPayload<N>) => string;
	/** What was paid for: the `source` of the ledger entries. */
	source: (payload: FactPayload<N>) => string;
}

/** Any row of the table. */
export type Rule = Omit<Row<FactName>, "profile" | "source"> & {
	/** Whom a fact of another name would pay is undefined. */
	earned(fact: AnyFact): { profileId: string; source: string } | undefined;
};

/** Keeps the fact of a row and what it reads of that fact together. */
export function row<N extends FactName>({ profile, source, ...rest }: Row<N>): Rule {
	const isMine = (fact: AnyFact): fact is AnyFact & { payload: FactPayload<N> } => fact.type === rest.fact;
	return { ...rest, earned: (fact) => (isMine(fact) ? { profileId: profile(fact.payload), source: source(fact.payload) } : undefined) };
}

export const rules: readonly Rule[] = [
	row({
		id: "message-posted",
		fact: "groups.message.posted",
		currency: "xp",
		amount: 5,
		dailyCap: 100,
		who: "sender",
		profile: ({ senderId }) => senderId,
		source: ({ messageId }) => messageId,
	}),
];

/** The facts that pay something. */
export const payingFacts: FactName[] = [...new Set(rules.map((rule) => rule.fact))];
