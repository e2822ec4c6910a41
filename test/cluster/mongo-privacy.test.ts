// Export and erasure once more, with the logs of groups in MongoDB.
import { describe } from "node:test";
import { everyAppGets } from "../support/app.ts";
import { mongoServer, needs } from "../support/servers.ts";

const skip = needs("mongod");
if (skip) describe("privacy on MongoDB", { skip }, () => {});
else {
	everyAppGets.MONGO_URL = (await mongoServer()).url;
	await import("../flow/short/privacy.test.ts");
}
