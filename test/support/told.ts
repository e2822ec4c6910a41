// Facts from outside of a node: what it has told, and what it hears from others.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { nodesWithMigrations } from "../../config/migrations.ts";
import { carrierOf, LocalCarrier } from "../../mixins/facts/carrier.ts";
import type { NewFact } from "../../mixins/facts/fact.ts";
import { toFact } from "../../mixins/facts/fact.ts";
import { factsBetween, toFacts } from "../../mixins/facts/outbox.ts";
import { database } from "../../mixins/postgres.ts";
import type { AnyFact, Fact, FactName } from "../../services/contracts/index.ts";
import { eventually } from "./eventually.ts";

/** What was told under this name by its node, oldest first; about `aggregate` only, where one is given. */
export async function told<N extends FactName>(type: N, aggregate?: string): Promise<Fact<N>[]> {
	const [node] = type.split(".") as [string];
	const rows = await database(node).tx((tx) => factsBetween(tx, 0, Number.MAX_SAFE_INTEGER, 100_000));
	const isAsked = (fact: AnyFact): fact is AnyFact & Fact<N> => fact.type === type && (aggregate ?? fact.aggregate) === fact.aggregate;
	return toFacts(rows).filter(isAsked);
}

/**
 * Tells facts as if their node had: resolved when every consumer in this process has handled them, and rejected with what a
 * consumer fell over. Answers them whole: given again, with their ids, they are the same facts heard twice.
 */
export async function hear(broker: ServiceBroker, ...facts: (NewFact | AnyFact)[]): Promise<AnyFact[]> {
	const cause = { requestId: "test", actor: randomUUID() };
	const whole = facts.map((fact) => ("id" in fact ? fact : toFact(fact, cause, new Date())));
	const carrier = carrierOf(broker);
	assert.ok(carrier instanceof LocalCarrier, "facts come from NATS here: let their node tell them");
	await carrier.bring(whole);
	const ids = whole.map(({ id }) => id);
	for (const node of nodesWithMigrations().filter((name) => broker.getLocalService(name)))
		await eventually(async () => assert.deepEqual(await unhandled(node, ids), []));
	return whole;
}

const unhandled = (node: string, ids: string[]) =>
	database(node).query<{ consumer: string; type: string; tries: number; cause: string | null }>(
		"select consumer, type, tries, cause from inbox where fact_id = any($1::uuid[]) and handled_at is null order by position",
		[ids],
	);
