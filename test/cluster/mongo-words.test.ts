// The index of words where the log is in MongoDB.
import { describe } from "node:test";
import { MongoLog } from "../../mixins/mongo/log.ts";
import type { Deed } from "../../services/groups/store/projection.ts";
import { wordsElsewhere } from "../../services/groups/store/words-elsewhere.ts";
import { logsOnMongo } from "../support/log-house.ts";
import { mongoServer, needs } from "../support/servers.ts";
import { wordsSuite } from "../support/words-suite.ts";

const skip = needs("mongod");
if (skip) describe("the index of words on MongoDB", { skip }, () => {});
else {
	const server = await mongoServer();
	wordsSuite(
		"MongoDB",
		() => logsOnMongo(server.url),
		({ carrier }) => {
			if (!(carrier instanceof MongoLog)) throw new Error("This house keeps its logs elsewhere.");
			return wordsElsewhere(carrier as MongoLog<Deed>);
		},
	);
}
