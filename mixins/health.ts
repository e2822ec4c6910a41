// How a node is, and how a process is: red without its own database or the way to the others, `degraded` without Redis,
// which everybody can do without for a while.
import type { ServiceBroker } from "moleculer";
import type { Health } from "../services/contracts/health.ts";
import { allActions } from "../services/contracts/index.ts";
import { door } from "./door.ts";
import { natsOf } from "./nats.ts";
import { database } from "./postgres.ts";
import { redisStatus } from "./redis/redis.ts";

/** The health action of a node. It never throws: a node that cannot reach its database says so. */
export function healthOf(node: string): () => Promise<{ status: "ok" | "down"; checks: Record<string, { status: "ok" | "down" }> }> {
	return async () => {
		const status = (await database(node).healthy()) ? "ok" : "down";
		return { status, checks: { database: { status } } };
	};
}

/** A node that says nothing for so many milliseconds is down. */
const PATIENCE = 2_000;
const suffix = ".health";
const nodesWithHealth = Object.keys(allActions)
	.filter((name) => name.endsWith(suffix))
	.map((name) => name.slice(0, -suffix.length));

type Status = Health["status"];
const worst = (all: Status[]): Status => (all.includes("down") ? "down" : all.includes("degraded") ? "degraded" : "ok");

/**
 * Whether this process should get requests: every node that runs in it, their databases, the transport, Redis. Red while it
 * drains, since then its door is.
 */
export async function processHealth(broker: ServiceBroker): Promise<Health> {
	const nodes = nodesWithHealth.filter((node) => broker.getLocalService(node));
	const answers = await Promise.all(nodes.map(async (node) => [node, await healthOfNode(broker, node)] as const));
	const checks: NonNullable<Health["checks"]> = {};
	for (const [node, { status }] of answers) checks[node] = { status };
	// What nodes stand on (their database, their log), each as the worst off of them sees it.
	for (const [, health] of answers) {
		for (const [name, { status }] of Object.entries(health.checks ?? {})) {
			if (name !== "server") checks[name] = { status: worst([status, checks[name]?.status ?? "ok"]) };
		}
	}
	const nats = natsOf(broker);
	if (nats) checks.transport = { status: nats.connected ? "ok" : "down" };
	const redis = redisStatus(broker);
	if (redis) checks.redis = { status: redis };
	if (door(broker).draining) checks.server = { status: "down" };
	return { status: worst(Object.values(checks).map(({ status }) => status)), checks };
}

/** Asked of this process, whoever else runs the node. */
async function healthOfNode(broker: ServiceBroker, node: string): Promise<Health> {
	try {
		return await broker.call<Health, object>(`${node}${suffix}`, {}, { timeout: PATIENCE, nodeID: broker.nodeID });
	} catch {
		return { status: "down" };
	}
}
