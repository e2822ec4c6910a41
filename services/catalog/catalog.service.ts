// The catalog: what people have and offer. So far the pictures of all of it.
import { service } from "../../mixins/node.ts";
import { jobs } from "./jobs.ts";
import { persons } from "./persons.ts";

export default service("catalog", {
	jobs,
	actions: {},
	person: persons,
});
