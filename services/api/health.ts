// Whether this process lives, and whether it should get requests.
import type { ServiceBroker } from "moleculer";
import type { Health } from "../contracts/identity.ts";
import { allActions } from "../contracts/index.ts";

/** A node that says nothing for so many milliseconds is down. */
const PATIENCE = 2_000;
const suffix = ".health";
const nodesWithHealth = Object.keys(allActions)
	.filter((name) => name.endsWith(suffix))
	.map((name) => name.slice(0, -suffix.length));

/** The nodes that run in this process, each asked for its health; red while the process drains, since then its doors are. */
export async function readiness(broker: ServiceBroker): Promise<Health> {
	const nodes = nodesWithHealth.filter((node) => broker.getLocalService(node));
	const answers = await Promise.all(nodes.map(async (node) => [node, { status: await statusOf(broker, node) }] as const));
	const checks: NonNullable<Health["checks"]> = Object.fromEntries(answers);
	const all = Object.values(checks).map((check) => check.status);
	return { status: all.includes("down") ? "down" : all.includes("degraded") ? "degraded" : "ok", checks };
}

async function statusOf(broker: ServiceBroker, node: string): Promise<Health["status"]> {
	try {
		const { status } = (await broker.call(`${node}${suffix}`, {}, { timeout: PATIENCE })) as Health;
		return status;
	} catch {
		return "down";
	}
}
