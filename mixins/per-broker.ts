// Things of which a process has one: found by the broker, made when first asked for, gone with it.
import type { ServiceBroker } from "moleculer";

/** The one thing of each broker: `make` is called once for it. */
export function perBroker<T extends object>(make: (broker: ServiceBroker) => T): (broker: ServiceBroker) => T {
	const made = new WeakMap<ServiceBroker, T>();
	return (broker) => {
		let thing = made.get(broker);
		if (!thing) {
			thing = make(broker);
			made.set(broker, thing);
		}
		return thing;
	};
}
