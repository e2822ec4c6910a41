// The environment as the services of one broker see it. `config/env.ts` reads it; nobody else does.
import type { ServiceBroker } from "moleculer";
import type { Env } from "../config/env.ts";

const known = new WeakMap<ServiceBroker, Env>();

export function provideSettings(broker: ServiceBroker, env: Env): void {
	known.set(broker, env);
}

/** The settings of this process; a broker that was given none is a fault of the one who made it. */
export function settings(broker: ServiceBroker): Env {
	const env = known.get(broker);
	if (!env) throw new Error("This broker was given no settings: call provideSettings() before it loads services.");
	return env;
}
