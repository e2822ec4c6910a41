// A carrier brings facts to the inboxes of the nodes that hear them, at least once, and does nothing else:
// order, retries and dead letters are the inbox engine's. In one process it is a call; in a cluster it is JetStream.
import { natsOf } from "../nats.ts";
import { perBroker } from "../per-broker.ts";
import type { Tx } from "../postgres.ts";
import { settings } from "../settings.ts";
import type { AnyFact } from "../../services/contracts/index.ts";
import { JetStreamCarrier } from "./jetstream.ts";
import type { OutboxRow } from "./outbox.ts";
import { toFacts, unsentFacts } from "./outbox.ts";

/** Stores facts in a consumer's inbox, in the transaction given or in one of its own; resolved only when they are stored. */
export type Inlet = (facts: AnyFact[], tx?: Tx) => Promise<void>;

/** A way on which facts come that somebody must fetch. */
export interface Source {
	/** Fetches one portion; answers when to come again (ms, 0 for at once), or null to wait until woken. */
	work(): Promise<number | null>;
	/** `wake` is called when there may be something to fetch. Answers how to take it back. */
	listen(wake: () => void): () => void;
}

/** What is to be carried now. */
export interface Portion {
	rows: OutboxRow[];
	/** Whether more waits behind it. */
	more: boolean;
}

export interface Carrier {
	/** A consumer of a node that hears these types; told before any node starts to relay. Answers what it must fetch from. */
	register(node: string, consumer: string, types: ReadonlySet<string>, inlet: Inlet): Source[];
	/** The next portion of a node's outbox, oldest first. Called, as `deliver`, by the one relay that has the node's lock. */
	next(tx: Tx, node: string, limit: number): Promise<Portion>;
	/**
	 * True when the rows of `next` are where nobody can lose them; a rejection means: send all of them again. False: what was
	 * carried before was lost, and is what comes next.
	 */
	deliver(tx: Tx, node: string, rows: OutboxRow[]): Promise<boolean>;
	/** Called each time the carrier is there again after it was away. */
	onBack(listener: () => void): () => void;
}

/** For nodes that are all in one process: it stores what it is given in each inbox. */
export class LocalCarrier implements Carrier {
	#inlets: { types: ReadonlySet<string>; inlet: Inlet }[] = [];

	register(_node: string, _consumer: string, types: ReadonlySet<string>, inlet: Inlet): Source[] {
		this.#inlets.push({ types, inlet });
		return [];
	}

	async next(tx: Tx, _node: string, limit: number): Promise<Portion> {
		const rows = await unsentFacts(tx, limit);
		return { rows, more: rows.length === limit };
	}

	async deliver(_tx: Tx, _node: string, rows: OutboxRow[]): Promise<boolean> {
		await this.bring(toFacts(rows));
		return true;
	}

	/** Resolved only when everybody who hears these facts has stored them. */
	async bring(facts: AnyFact[]): Promise<void> {
		const deliveries: Promise<void>[] = [];
		for (const { types, inlet } of this.#inlets) {
			const heard = facts.filter((fact) => types.has(fact.type));
			if (heard.length > 0) deliveries.push(inlet(heard));
		}
		await Promise.all(deliveries);
	}

	onBack(): () => void {
		return () => {};
	}
}

/** The process's carrier: one per broker. */
export const carrierOf = perBroker((broker): Carrier => {
	const nats = natsOf(broker);
	return nats
		? new JetStreamCarrier(nats, {
				replicas: settings(broker).NATS_REPLICAS,
				say: (sentence, more) => broker.logger.warn(sentence, more),
			})
		: new LocalCarrier();
});
