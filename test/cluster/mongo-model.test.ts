// The model of a group once more, with the logs of groups in MongoDB.
import { describe } from "node:test";
import { everyAppGets } from "../support/app.ts";
import { mongoServer, needs } from "../support/servers.ts";

const skip = needs("mongod");
if (skip) describe("the model of a group on MongoDB", { skip }, () => {});
else {
	everyAppGets.MONGO_URL = (await mongoServer()).url;
	await import("../service/groups-model.test.ts");
}
