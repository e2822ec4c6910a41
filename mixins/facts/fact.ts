// What a fact is on its way from the node that tells it to the nodes that hear it.
import { newId } from "../id.ts";
import type { AnyFact, FactName, FactPayload } from "../../services/contracts/index.ts";
import { factContract } from "../../services/contracts/index.ts";

/** What a node says: the name, what it is about (order is kept per aggregate), and everything a receiver needs. */
export type NewFact = { [N in FactName]: { type: N; aggregate: string; payload: FactPayload<N> } }[FactName];

/** Whose doing the fact is: taken from the context of the call, or from the fact that caused it. */
export interface Cause {
	requestId: string | null;
	actor: string | null;
}

/** Gives a fact its identity, version, time and cause. */
export function toFact(fact: NewFact, cause: Cause, at: Date): AnyFact {
	return {
		id: newId(),
		type: fact.type,
		version: factContract(fact.type).version ?? 1,
		at: at.toISOString(),
		aggregate: fact.aggregate,
		requestId: cause.requestId,
		actor: cause.actor,
		payload: fact.payload,
	} as AnyFact;
}
