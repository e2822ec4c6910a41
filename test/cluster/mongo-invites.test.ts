// The stories of groups' invites once more, with their logs in MongoDB.
import { describe } from "node:test";
import { everyAppGets } from "../support/app.ts";
import { mongoServer, needs } from "../support/servers.ts";

const skip = needs("mongod");
if (skip) describe("invites on MongoDB", { skip }, () => {});
else {
	everyAppGets.MONGO_URL = (await mongoServer()).url;
	await import("../service/groups-invites.test.ts");
}
