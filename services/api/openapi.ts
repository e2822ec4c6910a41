// The HTTP door as an OpenAPI 3.1 document, made of the routes table and the contracts: nothing in it is written by hand
// that could grow stale.
import { problemSchema, schemaWriter } from "../contracts/json-schema.ts";
import type { JsonSchema } from "../contracts/json-schema.ts";
import { COOKIES } from "../../mixins/cookies.ts";
import { operation, tagOf } from "./openapi/operation.ts";
import { allStatuses, problemResponse } from "./openapi/problems.ts";
import { basename } from "node:path/posix";
import type { Route } from "./route.ts";

export interface OpenapiSource {
	routes: readonly Route[];
	/** Where clients reach this door. */
	publicUrl: string;
}

/** An operation is called as its action; of several rows of one action by their method, too, or by the last word of their path. */
function nameOf(row: Route, routes: readonly Route[]): string {
	const others = routes.filter((other) => other !== row && other.action === row.action);
	if (others.length === 0) return row.action;
	const method = others.some((other) => other.method === row.method) ? basename(row.path) : row.method.toLowerCase();
	return `${row.action}.${method}`;
}

export function openapi({ routes, publicUrl }: OpenapiSource): JsonSchema {
	const writer = schemaWriter();
	const paths: Record<string, Record<string, JsonSchema>> = {};
	for (const row of routes) {
		const path = row.path.replace(/:([A-Za-z]\w*)/g, "{$1}");
		const methods = paths[path] ?? {};
		paths[path] = methods;
		methods[row.method.toLowerCase()] = operation(row, nameOf(row, routes), writer);
	}
	return {
		openapi: "3.1.0",
		info: {
			title: "Reloop",
			version: "1",
			summary: "The HTTP door.",
			license: { name: "MIT", identifier: "MIT" },
			description:
				"Every refusal is a problem object (RFC 9457): tell them apart by `code`. The realtime door is described at `/api/asyncapi.json`.",
		},
		servers: [{ url: publicUrl }],
		tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
		paths,
		components: {
			securitySchemes: {
				bearerAuth: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "The access token of `POST /api/auth/login`." },
				clientAuth: {
					type: "http",
					scheme: "basic",
					description: "A registered client (`POST /api/admin/clients`). It may send `client_id` and `client_secret` in the body instead.",
				},
				cookieAuth: {
					type: "apiKey",
					in: "cookie",
					name: COOKIES.access,
					description: `What \`?cookie=true\` at a sign-in sets. What changes anything needs the header X-CSRF-Token besides: the value of the cookie \`${COOKIES.csrf}\`.`,
				},
			},
			schemas: { ...writer.named(), Problem: problemSchema(), OAuthError: oauthError },
			responses: Object.fromEntries(allStatuses.map((status) => [`Problem${status}`, problemResponse(status)])),
			headers: {
				RequestId: { description: "Names this request in our logs.", schema: { type: "string" } },
				Replayed: { description: "`true`: this answer was given before, nothing was done again.", schema: { enum: ["true"] } },
				RetryAfter: { description: "Seconds to wait.", schema: { type: "integer", minimum: 0 } },
			},
			parameters: {
				IdempotencyKey: idempotencyKey(false),
				IdempotencyKeyRequired: idempotencyKey(true),
				Cookie: {
					name: "cookie",
					in: "query",
					required: false,
					description: "The tokens come in cookies and not in the body.",
					schema: { type: "boolean", default: false },
				},
				CsrfToken: {
					name: "X-CSRF-Token",
					in: "header",
					required: false,
					description: `Needed where the access token comes in a cookie: the value of the cookie \`${COOKIES.csrf}\`.`,
					schema: { type: "string" },
				},
			},
		},
	};
}

const oauthError: JsonSchema = {
	type: "object",
	required: ["error"],
	properties: { error: { type: "string" }, error_description: { type: "string" } },
};

const idempotencyKey = (required: boolean): JsonSchema => ({
	name: "Idempotency-Key",
	in: "header",
	required,
	description: "The same key with the same request gets the first answer again, and nothing is done twice.",
	schema: { type: "string", minLength: 1, maxLength: 255 },
});
