// The realtime door as an AsyncAPI 3 document, made of the two tables in socket.ts. It is here and not in the socket node
// because the HTTP door hands it out, and no node imports from another.
import { objectSchema, problemSchema, schemaWriter } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Props, Rule } from "./schema.ts";

export interface AsyncapiSource {
	/** What clients may say, and what the acknowledgement carries. */
	socketEvents: Readonly<Record<string, { readonly summary: string; readonly payload: Props; readonly result: Rule }>>;
	/** What they hear. */
	serverEvents: Readonly<Record<string, { readonly summary: string; readonly payload: Rule }>>;
	publicUrl: string;
}

const channel = { $ref: "#/channels/socket" };
const messageRef = (key: string) => ({ $ref: `#/channels/socket/messages/${key}` });
/** Names of messages and operations have no colon. */
const keyOf = (event: string) => event.replaceAll(":", ".");

export function asyncapi({ socketEvents, serverEvents, publicUrl }: AsyncapiSource): JsonSchema {
	const writer = schemaWriter();
	const messages: Record<string, JsonSchema> = {};
	const operations: Record<string, JsonSchema> = {};

	for (const [event, { summary, payload, result }] of Object.entries(socketEvents)) {
		const key = keyOf(event);
		messages[key] = {
			name: event,
			title: event,
			summary,
			contentType: "application/json",
			payload: objectSchema(payload, "in", writer.write),
		};
		messages[`${key}.ack`] = {
			name: `${event} acknowledgement`,
			title: `${event} acknowledgement`,
			summary: "`(error, result)`: one of the two is null.",
			contentType: "application/json",
			payload: acknowledgement(writer.write(result, "out")),
		};
		operations[key] = {
			action: "receive",
			channel,
			summary,
			messages: [messageRef(key)],
			reply: { channel, messages: [messageRef(`${key}.ack`)] },
		};
	}
	for (const [event, { summary, payload }] of Object.entries(serverEvents)) {
		const key = keyOf(event);
		messages[key] = { name: event, title: event, summary, contentType: "application/json", payload: writer.write(payload, "out") };
		operations[key] = { action: "send", channel, summary, messages: [messageRef(key)] };
	}

	const { host, protocol } = new URL(publicUrl);
	return {
		asyncapi: "3.0.0",
		info: {
			title: "Reloop",
			version: "1",
			license: { name: "MIT" },
			description:
				"The realtime door: Socket.IO 4, websocket first, `auth: {token}` with an access token. A refused handshake is a `connect_error` whose `data` is a problem object. Every client event takes an acknowledgement `(error, result)`.",
		},
		defaultContentType: "application/json",
		servers: {
			door: {
				host,
				pathname: "/socket.io",
				protocol: protocol === "https:" ? "wss" : "ws",
				security: [{ $ref: "#/components/securitySchemes/token" }],
			},
		},
		channels: { socket: { address: "/", title: "The namespace `/` of Socket.IO", messages } },
		operations,
		components: {
			securitySchemes: {
				token: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "Given as `auth.token` in the handshake." },
			},
			schemas: { ...writer.named(), Problem: problemSchema() },
		},
	};
}

const acknowledgement = (result: JsonSchema): JsonSchema => ({
	type: "array",
	minItems: 1,
	maxItems: 2,
	items: [{ anyOf: [{ type: "null" }, { $ref: "#/components/schemas/Problem" }] }, result],
});
