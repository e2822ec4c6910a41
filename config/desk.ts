// Where an operator's command works from: the databases of this Reloop, the actions of its nodes, and its living processes.
import type { ServiceBroker } from "moleculer";
import { callAction } from "../mixins/node.ts";
import type { ActionName, Answer, ParamsIn } from "../services/contracts/index.ts";
import { startApp } from "./app.ts";
import type { Env } from "./env.ts";
import { clusterProcesses, localProcesses } from "./processes.ts";
import type { Reached } from "./processes.ts";
import { refusal } from "./refusal.ts";

export interface Desk {
	/** Absent where a command needs nothing but living processes, and none of NATS. */
	readonly broker: ServiceBroker | undefined;
	call<A extends ActionName>(name: A, params: ParamsIn<A>): Promise<Answer<A>>;
	/** Those that answer operators at present. */
	processes(): Reached[];
	/** Its processes are those of a cluster. */
	readonly cluster: boolean;
	close(): Promise<void>;
}

/**
 * Opens what a command needs. In a cluster the tool joins it, runs no node, and asks those that do; without NATS it runs
 * `nodes` beside whatever else runs, on the same database. `needs: "processes"` spares it both where there is no cluster.
 */
export async function openDesk(env: Env, needs: "processes" | "data", nodes: readonly string[] = env.NODES): Promise<Desk> {
	const cluster = env.NATS_URL !== undefined;
	const app =
		cluster || needs === "data"
			? await startApp({ env: { ...env, NODES: cluster ? [] : [...nodes], LOG_LEVEL: "warn" }, tool: true })
			: undefined;
	return {
		broker: app?.broker,
		cluster,
		call: (name, params) => {
			if (!app) throw new Error(`${name} was called by a command that needs nothing but processes.`);
			return callAction(app.broker, name, params).catch((error: Error & { type?: string }) => {
				if (error.type !== "SERVICE_NOT_FOUND" && error.type !== "SERVICE_NOT_AVAILABLE") throw error;
				throw refusal(`No process of the cluster runs what ${name} is asked of.`, error);
			});
		},
		processes: () => (app && cluster ? clusterProcesses(app.broker) : localProcesses(env.DATA_DIR)),
		close: async () => app?.stop(),
	};
}
