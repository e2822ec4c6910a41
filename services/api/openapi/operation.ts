// One row of the routes' table as an operation of the document: its parameters, its body, its answers.
import { contractOf } from "../../contracts/index.ts";
import { objectSchema } from "../../contracts/json-schema.ts";
import type { JsonSchema, SchemaWriter } from "../../contracts/json-schema.ts";
import { problems } from "../../contracts/problems.ts";
import type { Props, Rule } from "../../contracts/schema.ts";
import { ofTheDoor } from "../compiled-route.ts";
import type { FileField, Route } from "../route.ts";
import { ALWAYS, CHANGES, problemsOf, SIGNED_IN, WITH_BODY } from "./problems.ts";

export const tagOf = (row: Route): string => row.action.split(".")[0] as string;

export function operation(row: Route, operationId: string, writer: SchemaWriter): JsonSchema {
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
	const told = [
		description,
		row.stepUp ? "Needs a login, or a `POST /api/auth/step-up`, of the last five minutes; else `step-up-required`." : undefined,
		errors?.length ? `Refuses with: ${errors.map((code) => `\`${code}\``).join(", ")}.` : undefined,
	]
		.filter((part) => part !== undefined)
		.join("\n\n");
	return {
		operationId,
		tags: [tagOf(row)],
		summary,
		...(told ? { description: told } : {}),
		security: securityOf(row),
		parameters: [
			...Object.entries(inPath).map(parameter("path")),
			...Object.entries(inQuery).map(parameter("query")),
			...fromOthers(row),
			...(row.session === "begin" || row.session === "renew" ? [{ $ref: "#/components/parameters/Cookie" }] : []),
			...(signedIn && row.method !== "GET" ? [{ $ref: "#/components/parameters/CsrfToken" }] : []),
			...(row.method === "POST"
				? [{ $ref: `#/components/parameters/IdempotencyKey${row.idempotency === "required" ? "Required" : ""}` }]
				: []),
		],
		...(hasBody ? { requestBody: requestBody(row, inBody, writer) } : {}),
		...(row.raw ? { requestBody: { required: true, content: { "application/octet-stream": {} } } } : {}),
		...(row.file ? { requestBody: { required: true, content: { "multipart/form-data": { schema: formOf(row.file) } } } } : {}),
		responses: {
			...answers(row, answer, writer),
			...problemsOf(
				[
					...ALWAYS,
					...(signedIn ? SIGNED_IN : [401]),
					// By cookies, or into them: the page may be a stranger's.
					...(row.session ? [403] : []),
					...(row.method === "GET" ? [] : CHANGES),
					...(hasBody || row.raw || row.file ? WITH_BODY : []),
					...(errors ?? []).map((code) => problems[code].status),
				].filter((status) => status !== row.down),
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

/** `{}`: nothing is needed. A client's own credentials are in a Basic header, or in the body. */
const securityOf = ({ access, client, token }: Route): JsonSchema[] => {
	if (client) return [{ clientAuth: [] }, {}];
	if (access === "anyone") return token ? [{ bearerAuth: [] }, { cookieAuth: [] }, {}] : [];
	const scopes = access === "signed-in" ? [] : [access];
	return [{ bearerAuth: scopes }, { cookieAuth: scopes }];
};

/** Each parameter comes from one place only: what the path and the row do not give is in the query or the body. */
function split(row: Route, params: Props): { inPath: Props; inQuery: Props; inBody: Props } {
	const named = new Set([...row.path.matchAll(/:([A-Za-z]\w*)/g)].map((match) => match[1] as string));
	const bodyless = row.method === "GET" || (row.method === "DELETE" && !row.body);
	const door = ofTheDoor(row);
	const place = (name: string) =>
		named.has(name) ? "path" : door.includes(name) ? "door" : bodyless || row.query?.includes(name) ? "query" : "body";
	const taken = (from: string): Props => Object.fromEntries(Object.entries(params).filter(([name]) => place(name) === from));
	return { inPath: taken("path"), inQuery: taken("query"), inBody: taken("body") };
}

/** What a client passes on and does not write: its cookie, the headers of a signature, what an issuer adds to a query. */
function fromOthers({ cookie, raw = [], loose }: Route): JsonSchema[] {
	const string = { type: "string" };
	return [
		...(cookie ? [{ name: cookie.name, in: "cookie", required: false, schema: string }] : []),
		...raw.map((name) => ({ name, in: "header", required: false, schema: string })),
		...(loose
			? [
					{
						name: "more",
						in: "query",
						required: false,
						style: "form",
						explode: true,
						description: "Anything besides is let through.",
						schema: { type: "object", additionalProperties: string },
					},
				]
			: []),
	];
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
	if (row.redirect) {
		const string = { type: "string" };
		return {
			302: {
				description: "Go there.",
				headers: {
					...headers,
					Location: { description: "Where to.", schema: { ...string, format: "uri" } },
					...(row.cookie ? { "Set-Cookie": { description: `The cookie \`${row.cookie.name}\`.`, schema: string } } : {}),
				},
			},
		};
	}
	if (status === 204) return { 204: { description: "Done.", headers } };
	const content = row.download ? fileOf(answer) : { "application/json": { schema: answerSchema(row, answer, writer) } };
	return {
		[status]: {
			description: status === 201 ? "Made." : status === 202 ? "It is on its way." : row.download ? "The file." : "The answer.",
			headers: {
				...headers,
				...(row.method === "POST" ? replayed : {}),
				...(row.location ? { Location: { description: "Where it is.", schema: { type: "string", format: "uri-reference" } } } : {}),
			},
			content,
		},
		...(row.download && answer.type === "object" && Object.hasOwn(answer.props, "etag")
			? { 304: { description: "It is what `If-None-Match` has named.", headers } }
			: {}),
		...(row.replay
			? { 200: { description: "It was there before: the first answer again.", headers: { ...headers, ...replayed }, content } }
			: {}),
		...(row.down ? { [row.down]: { description: "It is down.", headers, content } } : {}),
	};
}

const formOf = ({ field }: FileField): JsonSchema => ({
	type: "object",
	properties: { [field]: { type: "string", format: "binary" } },
	required: [field],
	additionalProperties: false,
});

/** What a file may be: what its head says by `type`, where that is a list. */
function fileOf(head: Rule): JsonSchema {
	const type = head.type === "object" ? (head.props as Props).type : undefined;
	const types = type?.type === "enum" ? type.values : ["application/octet-stream"];
	return Object.fromEntries(types.map((media) => [media, { schema: {} }]));
}

/** The door takes `replayed` out of the answer and says it by status and header. */
function answerSchema(row: Route, answer: Rule, writer: SchemaWriter): JsonSchema {
	if (!row.replay || answer.type !== "object") return writer.write(answer, "out");
	const { replayed: _door, ...props } = answer.props as Props;
	return objectSchema(props, "out", writer.write);
}
