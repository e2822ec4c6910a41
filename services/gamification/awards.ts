// The consumer that pays: hears the facts of the rules table and writes what they earn.
import type { AnyFact } from "../contracts/index.ts";
import type { Consumer } from "../../mixins/facts/index.ts";
import { tellEach } from "../../mixins/facts/index.ts";
import type { Told } from "../../mixins/facts/index.ts";
import type { Tx } from "../../mixins/postgres.ts";
import { award, claimsOf } from "./domain/award.ts";
import { follow } from "./domain/level.ts";
import type { Paid } from "./domain/level.ts";
import { payingFacts, rules } from "./domain/rules.ts";
import { paidBefore, pay } from "./store.ts";

/** What the world hears of a payment, as the doing of whoever earned it. */
function told({ award: { profileId, currency, amount, reason, source, fact }, total, reached }: Paid): Told[] {
	const cause = { requestId: fact.requestId, actor: fact.actor };
	const facts: Told[] = [
		{ cause, type: "gamification.points.awarded", aggregate: profileId, payload: { profileId, currency, amount, reason, source, total } },
	];
	if (reached) facts.push({ cause, type: "gamification.level.reached", aggregate: profileId, payload: { profileId, ...reached } });
	return facts;
}

/** A portion costs four statements, however large it is. */
async function handle(facts: AnyFact[], tx: Tx): Promise<void> {
	const claims = claimsOf(rules, facts);
	const { erased, ...paid } = await paidBefore(tx, claims);
	// What somebody did who was erased since earns nobody anything.
	const awards = award(
		claims.filter(({ profileId }) => !erased.has(profileId)),
		paid,
	);
	if (awards.length === 0) return;
	const balances = await pay(tx, awards);
	await tellEach(tx, follow(awards, balances).flatMap(told));
}

export const awards: Consumer = { facts: payingFacts, handle };
