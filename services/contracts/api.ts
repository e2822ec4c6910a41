// What the doors themselves answer: whether the process lives and is ready, how they are, and their documents.
import { health } from "./health.ts";
import { published } from "./contract.ts";
import { json } from "./schema.ts";

export const actions = {
	...published({
		"api.live": { summary: "Whether this process is alive at all; it asks nobody.", params: {}, answer: health },
		"api.ready": {
			summary: "Whether this process should get requests: its nodes' health, and red while it drains.",
			params: {},
			answer: health,
		},
		"api.openapi": { summary: "This door as an OpenAPI 3.1 document.", params: {}, answer: json },
		"api.asyncapi": { summary: "The realtime door as an AsyncAPI 3 document.", params: {}, answer: json },
	}),
};
