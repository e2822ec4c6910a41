// A consumer as a table: what is done at each fact it hears.
import type { ServiceBroker } from "moleculer";
import type { Fact, FactName } from "../../services/contracts/index.ts";
import type { Tx } from "../postgres.ts";
import type { Consumer } from "./inbox.ts";

type Handlers = { [N in FactName]?: (fact: Fact<N>, tx: Tx, tools: { broker: ServiceBroker }) => Promise<unknown> };

/**
 * A consumer that handles facts one by one, in order, in the transaction that marks them as handled. Whoever hears many and
 * writes them in one statement writes a `Consumer` with `handle` for the whole portion instead.
 */
export function eachFact(handlers: Handlers): Consumer {
	const handle = <N extends FactName>(fact: Fact<N>, tx: Tx, tools: { broker: ServiceBroker }) => handlers[fact.type]?.(fact, tx, tools);
	return {
		facts: Object.keys(handlers) as FactName[],
		async handle(portion, tx, tools) {
			for (const fact of portion) await handle(fact, tx, tools);
		},
	};
}
