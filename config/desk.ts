// Where an operator's command works from: the databases of this Reloop, the actions of its nodes, and its living processes.
import type { ServiceBroker } from "moleculer";
import { callAction } from "../mixins/call.ts";
import type { ActionName, Answer, ParamsIn } from "../services/contracts/index.ts";
import { startApp } from "./app.ts";
import { livingCluster } from "./cluster/record.ts";
import { type Embedded, startEmbedded } from "./embedded-postgres.ts";
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
	/** What `npm run cluster` calls the processes that it started, by process id. */
	readonly names: ReadonlyMap<number, string>;
	close(): Promise<void>;
}

/**
 * Opens what a command needs. In a cluster the tool joins it, runs no node, and asks those that do; without NATS it runs
 * `nodes` beside whatever else runs, on the same database. `needs: "processes"` spares it both where there is no cluster.
 */
export async function openDesk(given: Env, needs: "processes" | "data", nodes: readonly string[] = given.NODES): Promise<Desk> {
	const { env, names, leave } = await joinLocal(given, needs);
	const cluster = env.NATS_URL !== undefined;
	const options = { env: { ...env, NODES: cluster ? [] : [...nodes], LOG_LEVEL: "warn" as const }, tool: true, data: needs === "data" };
	const app =
		cluster || needs === "data"
			? await startApp(options).catch(async (error) => {
					await leave();
					throw error;
				})
			: undefined;
	return {
		broker: app?.broker,
		cluster,
		names,
		call: (name, params) => {
			if (!app) throw new Error(`${name} was called by a command that needs nothing but processes.`);
			return callAction(app.broker, name, params).catch((error: Error & { type?: string }) => {
				if (error.type !== "SERVICE_NOT_FOUND" && error.type !== "SERVICE_NOT_AVAILABLE") throw error;
				throw refusal(`No process of the cluster runs what ${name} is asked of.`, error);
			});
		},
		processes: () => (app && cluster ? clusterProcesses(app.broker) : localProcesses(env.DATA_DIR)),
		close: async () => {
			await app?.stop();
			await leave();
		},
	};
}

/** Where `npm run cluster` runs with this DATA_DIR, its servers are ours too. `leave` when they are no longer needed. */
async function joinLocal(env: Env, needs: "processes" | "data"): Promise<Pick<Desk, "names"> & { env: Env; leave(): Promise<void> }> {
	const cluster = env.NATS_URL ? undefined : livingCluster(env.DATA_DIR);
	if (!cluster) return { env, names: new Map(), leave: async () => {} };
	const embedded: Embedded | undefined = env.DATABASE_URL || needs === "processes" ? undefined : await startEmbedded(env.DATA_DIR);
	return {
		env: {
			...env,
			NATS_URL: cluster.nats.url.split(","),
			REDIS_URL: env.REDIS_URL ?? cluster.redis.url,
			DATABASE_URL: env.DATABASE_URL ?? embedded?.ownerUrl,
		},
		names: new Map(cluster.processes.flatMap(({ pid, name }) => (pid === null ? [] : [[pid, name] as const]))),
		leave: async () => embedded?.stop(),
	};
}
