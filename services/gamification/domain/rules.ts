// What earns what: one row per award. A new award is a new row; since facts are kept, it can be replayed over the past.
import type { Currency } from "../../contracts/gamification.ts";
import type { FactName, FactPayload } from "../../contracts/index.ts";

/** The names of a fact's fields that are plain texts: ids, mostly. */
type TextField<N extends FactName> = { [K in keyof FactPayload<N>]-?: FactPayload<N>[K] extends string ? K : never }[keyof FactPayload<N>] &
	string;

interface RowOf<N extends FactName> {
	/** The `reason` of the ledger entries. Never changed: it is what makes a fact pay once. */
	id: string;
	fact: N;
	currency: Currency;
	amount: number;
	/** Most that this row pays to one profile in one UTC day; null for no limit. */
	dailyCap: number | null;
	/** Who earns it, as a word for people, and the field of the fact that names the profile. */
	who: string;
	profile: TextField<N>;
	/** The field that names what was paid for: the `source` of the ledger entries. */
	source: TextField<N>;
}

const row = <N extends FactName>(of: RowOf<N>): RowOf<N> => of;

export const rules = [
	row({
		id: "message-posted",
		fact: "groups.message.posted",
		currency: "xp",
		amount: 5,
		dailyCap: 100,
		who: "sender",
		profile: "senderId",
		source: "messageId",
	}),
] as const;

/** Any row of the table. */
export interface Rule extends Omit<RowOf<FactName>, "profile" | "source"> {
	profile: string;
	source: string;
}

/** The facts that pay something. */
export const payingFacts: FactName[] = [...new Set(rules.map((rule) => rule.fact))];
