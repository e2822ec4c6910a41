// The environment as the services of one broker see it. `config/env.ts` reads it; nobody else does.
import type { ServiceBroker } from "moleculer";
import type { Env } from "../config/env.ts";

const known = new WeakMap<ServiceBroker, Env>();
const tools = new WeakSet<ServiceBroker>();

/** @param tool a process that only calls actions beside a running Reloop: it leaves relays, inboxes and jobs to it */
export function provideSettings(broker: ServiceBroker, env: Env, { tool = false } = {}): void {
	known.set(broker, env);
	if (tool) tools.add(broker);
}

export const isTool = (broker: ServiceBroker): boolean => tools.has(broker);

/** The settings of this process; a broker that was given none is a fault of the one who made it. */
export function settings(broker: ServiceBroker): Env {
	const env = known.get(broker);
	if (!env) throw new Error("This broker was given no settings: call provideSettings() before it loads services.");
	return env;
}
