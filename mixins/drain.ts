// What must be done before the broker stops, in the order in which it was registered last-first: doors register late,
// and are drained first.
import type { ServiceBroker } from "moleculer";

type Drain = () => Promise<void>;
const drains = new WeakMap<ServiceBroker, Drain[]>();

/** Has `drain` called once on SIGTERM, before services stop. It should settle within a few seconds. */
export function onDrain(broker: ServiceBroker, drain: Drain): void {
	const list = drains.get(broker) ?? [];
	list.push(drain);
	drains.set(broker, list);
}

/** Runs what was registered, one after another, the newest first; a failing one is logged and does not hold up the rest. */
export async function drainAll(broker: ServiceBroker): Promise<void> {
	const list = drains.get(broker) ?? [];
	drains.delete(broker);
	for (const drain of list.reverse()) {
		try {
			await drain();
		} catch (error) {
			broker.logger.error("A drain failed.", error);
		}
	}
}
