// What the doors themselves answer: whether the process lives and is ready, how they are, and their documents.
import { health } from "./identity.ts";
import { action, actions, json } from "./schema.ts";

export const apiActions = actions({
	"api.live": action({ summary: "Whether this process is alive at all; it asks nobody.", params: {}, answer: health, published: true }),
	"api.ready": action({
		summary: "Whether this process should get requests: its nodes' health, and red while it drains.",
		params: {},
		answer: health,
		published: true,
	}),
	"api.health": action({ summary: "How the HTTP door is.", params: {}, answer: health, published: true }),
	"socket.health": action({ summary: "How the realtime door is.", params: {}, answer: health, published: true }),
	"api.openapi": action({ summary: "This door as an OpenAPI 3.1 document.", params: {}, answer: json, published: true }),
	"api.asyncapi": action({ summary: "The realtime door as an AsyncAPI 3 document.", params: {}, answer: json, published: true }),
});
