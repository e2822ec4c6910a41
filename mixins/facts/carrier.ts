// A carrier brings facts to the inboxes of the nodes that hear them, at least once, and does nothing else:
// order, retries and dead letters are the inbox engine's. In one process it is a call; in a cluster it is JetStream.
import { perBroker } from "../per-broker.ts";
import type { AnyFact } from "./fact.ts";

/** Stores facts in a node's inbox; resolved only when they are stored. */
export type Inlet = (facts: AnyFact[]) => Promise<void>;

export interface Carrier {
	/** A node that hears these types. Told before any node starts to relay. */
	register(node: string, types: ReadonlySet<string>, inlet: Inlet): void;
	/** Resolved only when every receiver has stored the facts; a rejection means: send all of them again. */
	deliver(facts: AnyFact[]): Promise<void>;
}

export class LocalCarrier implements Carrier {
	#nodes = new Map<string, { types: ReadonlySet<string>; inlet: Inlet }>();

	register(node: string, types: ReadonlySet<string>, inlet: Inlet): void {
		this.#nodes.set(node, { types, inlet });
	}

	async deliver(facts: AnyFact[]): Promise<void> {
		const deliveries: Promise<void>[] = [];
		for (const { types, inlet } of this.#nodes.values()) {
			const heard = facts.filter((fact) => types.has(fact.type));
			if (heard.length > 0) deliveries.push(inlet(heard));
		}
		await Promise.all(deliveries);
	}
}

/** The process's carrier: one per broker. */
export const carrierOf = perBroker((): Carrier => new LocalCarrier());
