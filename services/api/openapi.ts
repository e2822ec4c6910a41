// The HTTP door as an OpenAPI 3.1 document, made of the routes table and the contracts: nothing in it is written by hand
// that could grow stale.
import { problems } from "../contracts/problems.ts";
import type { ProblemCode } from "../contracts/problems.ts";
import { contractOf } from "../contracts/index.ts";
import { objectSchema, problemSchema, schemaWriter } from "../contracts/json-schema.ts";
import type { JsonSchema, SchemaWriter } from "../contracts/json-schema.ts";
import type { Props, Rule } from "../contracts/schema.ts";
import type { Route } from "./route.ts";

export interface OpenapiSource {
	routes: readonly Route[];
	/** Where clients reach this door. */
	publicUrl: string;
}

const statusOf = (status: number) => (Object.keys(problems) as ProblemCode[]).filter((code) => problems[code].status === status);
/** What any row may answer, and what only some do. */
const ALWAYS = [400, 404, 422, 429, 500, 503];
const SIGNED_IN = [401, 403];
const CHANGES = [409];
const WITH_BODY = [408, 413, 415];
const all = [...ALWAYS, ...SIGNED_IN, ...CHANGES, ...WITH_BODY, 405, 410, 431].sort();

export function openapi({ routes, publicUrl }: OpenapiSource): JsonSchema {
	const writer = schemaWriter();
	const paths: Record<string, Record<string, JsonSchema>> = {};
	for (const row of routes) {
		const path = row.path.replace(/:([A-Za-z]\w*)/g, "{$1}");
		const methods = paths[path] ?? {};
		paths[path] = methods;
		const isShared = routes.some((other) => other !== row && other.action === row.action);
		methods[row.method.toLowerCase()] = operation(row, isShared ? `${row.action}.${row.method.toLowerCase()}` : row.action, writer);
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
			},
			schemas: { ...writer.named(), Problem: problemSchema(), OAuthError: oauthError },
			responses: Object.fromEntries(all.map((status) => [`Problem${status}`, problemResponse(status)])),
			headers: {
				RequestId: { description: "Names this request in our logs.", schema: { type: "string" } },
				Replayed: { description: "`true`: this answer was given before, nothing was done again.", schema: { enum: ["true"] } },
				RetryAfter: { description: "Seconds to wait.", schema: { type: "integer", minimum: 0 } },
			},
			parameters: {
				IdempotencyKey: idempotencyKey(false),
				IdempotencyKeyRequired: idempotencyKey(true),
			},
		},
	};
}

const tagOf = (row: Route): string => row.action.split(".")[0] as string;

function operation(row: Route, operationId: string, writer: SchemaWriter): JsonSchema {
	const { summary, description, params, answer, errors } = contractOf(row.action);
	const { inPath, inQuery, inBody } = split(row, params);
	const parameter =
		(where: "path" | "query") =>
		([name, rule]: [string, Rule]) => ({
			name,
			in: where,
			required: where === "path" || (!rule.optional && rule.default === undefined),
			schema: writer.write(rule, "in"),
			...(rule.type === "array" ? { style: "form", explode: false } : {}),
		});
	const signedIn = row.access !== "anyone";
	const hasBody = Object.keys(inBody).length > 0;
	const told = [description, errors?.length ? `Refuses with: ${errors.map((code) => `\`${code}\``).join(", ")}.` : undefined]
		.filter((part) => part !== undefined)
		.join("\n\n");
	return {
		operationId,
		tags: [tagOf(row)],
		summary,
		...(told ? { description: told } : {}),
		security: signedIn ? [{ bearerAuth: row.access === "signed-in" ? [] : [row.access] }] : [],
		parameters: [
			...Object.entries(inPath).map(parameter("path")),
			...Object.entries(inQuery).map(parameter("query")),
			...(row.method === "POST"
				? [{ $ref: `#/components/parameters/IdempotencyKey${row.idempotency === "required" ? "Required" : ""}` }]
				: []),
		],
		...(hasBody ? { requestBody: requestBody(row, inBody, writer) } : {}),
		responses: {
			...answers(row, answer, writer),
			...problemsOf(
				[...ALWAYS, ...(signedIn ? SIGNED_IN : [401]), ...(row.method === "GET" ? [] : CHANGES), ...(hasBody ? WITH_BODY : [])].filter(
					(status) => status !== row.down,
				),
			),
			...(row.oauth
				? Object.fromEntries(
						[400, 401].map((status) => [
							status,
							{
								description: "Refused (RFC 6749).",
								content: { "application/json": { schema: { $ref: "#/components/schemas/OAuthError" } } },
							},
						]),
					)
				: {}),
		},
	};
}

/** Each parameter comes from one place only: what the path and the row do not give is in the query or the body. */
function split(row: Route, params: Props): { inPath: Props; inQuery: Props; inBody: Props } {
	const named = new Set([...row.path.matchAll(/:([A-Za-z]\w*)/g)].map((match) => match[1] as string));
	const bodyless = row.method === "GET" || row.method === "DELETE";
	const place = (name: string) =>
		named.has(name) ? "path" : Object.hasOwn(row.fixed ?? {}, name) ? "row" : bodyless || row.query?.includes(name) ? "query" : "body";
	const taken = (from: string): Props => Object.fromEntries(Object.entries(params).filter(([name]) => place(name) === from));
	return { inPath: taken("path"), inQuery: taken("query"), inBody: taken("body") };
}

function requestBody(row: Route, props: Props, writer: SchemaWriter): JsonSchema {
	const schema = objectSchema(props, "in", writer.write);
	const media = { schema };
	return {
		required: "required" in schema,
		content: { "application/json": media, ...(row.oauth ? { "application/x-www-form-urlencoded": media } : {}) },
	};
}

function answers(row: Route, answer: Rule, writer: SchemaWriter): Record<string, JsonSchema> {
	const headers = { "X-Request-Id": { $ref: "#/components/headers/RequestId" } };
	const replayed = { "Idempotent-Replayed": { $ref: "#/components/headers/Replayed" } };
	const status = row.status ?? 200;
	if (status === 204) return { 204: { description: "Done.", headers } };
	const content = { "application/json": { schema: answerSchema(row, answer, writer) } };
	return {
		[status]: {
			description: status === 201 ? "Made." : "The answer.",
			headers: {
				...headers,
				...(row.method === "POST" ? replayed : {}),
				...(row.location ? { Location: { description: "Where it is.", schema: { type: "string", format: "uri-reference" } } } : {}),
			},
			content,
		},
		...(row.replay
			? { 200: { description: "It was there before: the first answer again.", headers: { ...headers, ...replayed }, content } }
			: {}),
		...(row.down ? { [row.down]: { description: "It is down.", headers, content } } : {}),
	};
}

/** The door takes `replayed` out of the answer and says it by status and header. */
function answerSchema(row: Route, answer: Rule, writer: SchemaWriter): JsonSchema {
	if (!row.replay || answer.type !== "object") return writer.write(answer, "out");
	const { replayed: _door, ...props } = answer.props as Props;
	return objectSchema(props, "out", writer.write);
}

const problemsOf = (statuses: number[]): Record<string, JsonSchema> =>
	Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]));

function problemResponse(status: number): JsonSchema {
	const codes = statusOf(status);
	return {
		description: codes.map((code) => `\`${code}\`: ${problems[code].detail}`).join("\n\n"),
		headers: {
			"X-Request-Id": { $ref: "#/components/headers/RequestId" },
			...(status === 429 || status === 503 ? { "Retry-After": { $ref: "#/components/headers/RetryAfter" } } : {}),
		},
		content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
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
