// What the gamification node offers: a double-entry ledger of XP, points and coins, and the rules that pay into it.
import { health } from "./identity.ts";
import { action, actions, array, bool, facts, int, list, nullable, object, oneOf, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

export const currency = oneOf("xp", "points", "coins");
export type Currency = Infer<typeof currency>;
export const points = object({ xp: int(), level: int(0), points: int(), coins: int() });
export const transaction = object({ id: uuid, currency, amount: int(), reason: text(1, 100), source: text(1, 200), at: time });

export const gamificationActions = actions({
	"gamification.health": action({ summary: "How this node is.", params: {}, answer: health, published: true, repeatable: true }),
	"gamification.myPoints": action({
		summary: "The caller's balances and level.",
		params: {},
		answer: points,
		published: true,
		repeatable: true,
	}),
	"gamification.pointsOf": action({
		summary: "The public part of somebody's balances.",
		params: { profileId: uuid },
		answer: object({ xp: int(), level: int(0) }),
		published: true,
		repeatable: true,
	}),
	"gamification.transactions": action({
		summary: "The caller's ledger entries, newest first.",
		params: { ...page },
		answer: list(transaction),
		published: true,
		repeatable: true,
	}),
	"gamification.rules": action({
		summary: "What earns what.",
		params: {},
		answer: list(object({ fact: text(1, 80), currency, amount: int(1), dailyCap: nullable(int(1)), who: text(1, 40) })),
		published: true,
		repeatable: true,
	}),
	"gamification.checkLedgers": action({
		summary:
			"Operators: the sum of all entries of each currency, which is zero, always, and whether every balance is the sum of its entries.",
		params: {},
		answer: object({ ledgers: array(object({ currency, sum: int(), entries: int(0) })), ok: bool }),
		repeatable: true,
	}),
});

export const gamificationFacts = facts({
	"gamification.points.awarded": {
		version: 1,
		summary: "Somebody's account was paid by a rule.",
		payload: { profileId: uuid, currency, amount: int(1), reason: text(1, 100), source: text(1, 200), total: int() },
	},
	"gamification.level.reached": {
		version: 1,
		summary: "XP carried a profile to a higher level.",
		payload: { profileId: uuid, level: int(1), previous: int(0) },
	},
});
