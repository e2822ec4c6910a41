// The numbered log of a room on MongoDB: what it promises anywhere, and what it owes to being apart from PostgreSQL.
import { describe } from "node:test";
import { logsOnMongo } from "../support/log-house.ts";
import { logSuite } from "../support/log-suite.ts";
import { mongoServer, needs } from "../support/servers.ts";

const skip = needs("mongod");
if (skip) describe("the log on MongoDB", { skip }, () => {});
else {
	const server = await mongoServer();
	logSuite("MongoDB", () => logsOnMongo(server.url));
}
