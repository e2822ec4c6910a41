// The catalog: what people have and offer. So far the pictures of all of it.
import { isTool, service } from "../../mixins/node.ts";
import { jobs } from "./jobs.ts";
import { catalogNode } from "./node.ts";
import { persons } from "./persons.ts";
import { uses } from "./pictures/uses.ts";

export default service("catalog", {
	node: catalogNode,
	jobs,
	consumers: { "catalog-uses": uses },
	actions: {},
	person: persons,

	async started({ shelf }, broker) {
		if (!isTool(broker)) await shelf.start();
	},
});
