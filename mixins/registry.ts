// What Moleculer's registry knows and its types do not say: one view of it for all who look.
import type { ActionEndpoint, Context, ServiceBroker } from "moleculer";

/** A process's offer of an action. */
interface Endpoint {
	/** The process's node id. */
	id: string;
	isAvailable: boolean;
}

/** An action that this process offers itself. */
interface LocalEndpoint extends ActionEndpoint {
	action: ActionEndpoint["action"] & { handler(ctx: Context): Promise<unknown> & { ctx?: Context } };
}

interface RegistryView {
	actions: { get(name: string): { endpoints: Endpoint[]; nextLocal(): LocalEndpoint | null } | undefined };
	nodes: { toArray(): { local: boolean; lastHeartbeatTime: number | null }[] };
	discoverer: { sendLocalNodeInfo(): Promise<void> };
}

export const registryOf = (broker: ServiceBroker): RegistryView => broker.registry as RegistryView;
