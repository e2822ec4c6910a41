// The same is found where the logs of groups are in MongoDB.
import { describe } from "node:test";
import { everyAppGets } from "../support/app.ts";
import { mongoServer, needs } from "../support/servers.ts";

const skip = needs("mongod");
if (skip) describe("search on MongoDB", { skip }, () => {});
else {
	everyAppGets.MONGO_URL = (await mongoServer()).url;
	await import("../flow/short/message-search.test.ts");
}
