// The story of presence, told to a cluster in which each node is two processes, and presence is kept in Redis.
import { describe } from "node:test";
import { needs } from "../support/servers.ts";
import { nodesApart } from "./support/apart.ts";

const skip = needs("nats-server", "redis-server", "postgres");
if (skip) describe("nodes apart", { skip }, () => {});
else {
	await nodesApart();
	await import("../service/presence-story.test.ts");
}
