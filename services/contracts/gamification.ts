// What the gamification node offers: a double-entry ledger of XP, points and coins, and the rules that pay into it.
import { factTable, internal, published } from "./contract.ts";
import { array, bool, int, list, nullable, object, oneOf, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

export const currency = oneOf("xp", "points", "coins");
export type Currency = Infer<typeof currency>;
export const points = object({ xp: int(), level: int(0), points: int(), coins: int() });
export const transaction = object({ id: uuid, currency, amount: int(), reason: text(1, 100), source: text(1, 200), at: time });
export type Transaction = Infer<typeof transaction>;

export const actions = {
	...published({
		"gamification.myPoints": {
			summary: "The caller's balances and level.",
			params: {},
			answer: points,
			repeatable: true,
		},
		"gamification.pointsOf": {
			summary: "The public part of somebody's balances.",
			params: { profileId: uuid },
			answer: object({ xp: int(), level: int(0) }),
			repeatable: true,
		},
		"gamification.transactions": {
			summary: "The caller's ledger entries, newest first.",
			params: { ...page },
			answer: list(transaction),
			repeatable: true,
		},
		"gamification.rules": {
			summary: "What earns what.",
			params: {},
			answer: list(object({ fact: text(1, 80), currency, amount: int(1), dailyCap: nullable(int(1)), who: text(1, 40) })),
			repeatable: true,
		},
	}),
	...internal({
		"gamification.checkLedgers": {
			summary:
				"Operators: the sum of all entries of each currency, which is zero, always, and whether every balance is the sum of its entries.",
			params: {},
			answer: object({ ledgers: array(object({ currency, sum: int(), entries: int(0) })), ok: bool }),
			repeatable: true,
		},
	}),
};

export const facts = factTable({
	"gamification.points.awarded": {
		summary: "Somebody's account was paid by a rule.",
		payload: { profileId: uuid, currency, amount: int(1), reason: text(1, 100), source: text(1, 200), total: int() },
	},
	"gamification.level.reached": {
		summary: "XP carried a profile to a higher level.",
		payload: { profileId: uuid, level: int(1), previous: int(0) },
	},
});
