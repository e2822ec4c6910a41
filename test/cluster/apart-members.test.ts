// The stories of talks of two and of bans, told to a cluster in which each node is two processes: both of the two ask at once, of either.
import { describe } from "node:test";
import { needs } from "../support/servers.ts";
import { nodesApart } from "./support/apart.ts";

const skip = needs("nats-server", "redis-server", "postgres");
if (skip) describe("nodes apart", { skip }, () => {});
else {
	await nodesApart();
	await import("../service/groups-direct.test.ts");
	await import("../service/groups-roles.test.ts");
}
