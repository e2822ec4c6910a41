// Signals: what every process that runs a node may want to know at once, and nobody misses for long where it is lost.
import type { ServiceBroker } from "moleculer";
import type { SignalName, SignalPayload } from "../services/contracts/index.ts";

/** Tells every service of every process that hears it (`signals` of mixins/service.ts), this one too. Rejects where NATS is away. */
export const broadcast = <N extends SignalName>(broker: ServiceBroker, name: N, payload: SignalPayload<N>): Promise<void> =>
	broker.broadcast(name, payload);
