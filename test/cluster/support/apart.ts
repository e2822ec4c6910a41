// The stories once more, with every node in processes of its own, two of each; only the doors are in the test's process.
import { after } from "node:test";
import { everyAppGets } from "../../support/app.ts";
import { allBut, Cluster } from "./cluster.ts";

/** From here on `startTestApp` starts the doors of a cluster. */
export async function nodesApart(): Promise<void> {
	const cluster = await Cluster.start({
		shape: Object.fromEntries(
			allBut("api", "socket")
				.split(",")
				.map((node) => [node, 2]),
		),
		// Answers are held against their contracts there, too.
		environment: { NODE_ENV: "test" },
	});
	const { SECRET_KEY, PUBLIC_URL, NATS_URL, REDIS_URL, DATABASE_URL } = cluster.environment;
	Object.assign(everyAppGets, { NODES: "api,socket", SECRET_KEY, PUBLIC_URL, NATS_URL, REDIS_URL, DATABASE_URL });
	after(() => cluster.stop());
}
