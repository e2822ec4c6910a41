// The operations of an OpenAPI document, and values made from their schemas: some that fit, and every kind that does not.
import { randomUUID } from "node:crypto";

export interface Schema {
	$ref?: string;
	anyOf?: Schema[];
	type?: string | string[];
	enum?: unknown[];
	const?: unknown;
	format?: string;
	minLength?: number;
	maxLength?: number;
	minimum?: number;
	maximum?: number;
	minItems?: number;
	maxItems?: number;
	items?: Schema;
	properties?: Record<string, Schema>;
	required?: string[];
}
export interface Parameter {
	name: string;
	in: "path" | "query" | "header";
	required: boolean;
	schema: Schema;
}
export interface Operation {
	id: string;
	method: string;
	path: string;
	signedIn: boolean;
	oauth: boolean;
	/** The body is for a signature over its bytes: whatever it says, it is not signed. */
	raw: boolean;
	/** The body is a form with a file in this field. */
	file: string | undefined;
	/** The query may say anything besides. */
	loose: boolean;
	inPath: Parameter[];
	inQuery: Parameter[];
	body: Schema | undefined;
}
export interface OpenApi {
	paths: Record<string, Record<string, unknown>>;
	components: { schemas: Record<string, Schema> };
}

const isOpen = (parameter: Parameter): boolean => parameter.in === "query" && parameter.schema.type === "object";

/** Where `{}` is among the ways to ask, nobody needs to say who they are. */
const needsToken = (security: readonly object[]): boolean => security.length > 0 && security.every((way) => Object.keys(way).length > 0);

function read(
	method: string,
	path: string,
	operation: {
		operationId: string;
		security?: object[];
		parameters?: (Parameter & { $ref?: string })[];
		requestBody?: { content: Record<string, { schema: Schema }> };
	},
): Operation {
	const parameters = (operation.parameters ?? []).filter((parameter) => !parameter.$ref);
	const content = operation.requestBody?.content ?? {};
	return {
		id: operation.operationId,
		method,
		path,
		signedIn: needsToken(operation.security ?? []),
		oauth: "application/x-www-form-urlencoded" in content,
		raw: "application/octet-stream" in content,
		file: Object.keys(content["multipart/form-data"]?.schema.properties ?? {})[0],
		loose: parameters.some(isOpen),
		inPath: parameters.filter((parameter) => parameter.in === "path"),
		inQuery: parameters.filter((parameter) => parameter.in === "query" && !isOpen(parameter)),
		body: content["application/json"]?.schema,
	};
}

/** Everything that can be asked of the door. */
export const operationsOf = (document: OpenApi): Operation[] =>
	Object.entries(document.paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => read(method.toUpperCase(), path, operation as never)),
	);

export const hasBody = (operation: Operation): boolean =>
	["POST", "PUT", "PATCH"].includes(operation.method) || operation.body !== undefined;

/** A schema without `$ref`, and of several the first; those inside of it may have them. */
export type Plain = (schema: Schema) => Schema;
export const plainBy = (document: OpenApi): Plain => {
	const plain: Plain = (schema) => {
		if (schema.anyOf?.[0]) return plain(schema.anyOf[0]);
		return schema.$ref ? plain(document.components.schemas[schema.$ref.split("/").at(-1) as string] as Schema) : schema;
	};
	return plain;
};

/** A value that fits: so that the one thing wrong with a request is what the case is about. */
export function fitting(given: Schema, plain: Plain): unknown {
	const schema = plain(given);
	if (schema.enum) return schema.enum[0];
	if ("const" in schema) return schema.const;
	switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
		case "string":
			if (schema.format === "uuid") return randomUUID();
			if (schema.format === "email") return `fuzz-${randomUUID()}@example.org`;
			return "x".repeat(Math.max(schema.minLength ?? 0, 8));
		case "integer":
		case "number":
			return schema.minimum ?? 1;
		case "boolean":
			return true;
		case "array":
			return Array.from({ length: schema.minItems ?? 0 }, () => fitting(schema.items ?? {}, plain));
		case "object":
			return Object.fromEntries(
				Object.entries(schema.properties ?? {})
					.filter(([name]) => schema.required?.includes(name))
					.map(([name, inner]) => [name, fitting(inner, plain)]),
			);
		default:
			return null;
	}
}

/** Values that do not fit; as JSON text, because some cannot be said in JavaScript. */
export function unfitting(given: Schema, plain: Plain): [string, string][] {
	const schema = plain(given);
	const wrong: [string, string][] = [
		["null", "null"],
		["an object", '{"$gt":""}'],
		["a deep list", `${"[".repeat(60)}${"]".repeat(60)}`],
		["a huge number", "1e400"],
	];
	const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
	if (type !== "array") wrong.push(["a list", "[1]"]);
	if (type !== "boolean") wrong.push(["a truth", "true"]);
	if (type !== "integer" && type !== "number") wrong.push(["a number", "7"]);
	else
		wrong.push(
			["a text for a number", '"7"'],
			["a fraction", "1.5"],
			["beyond safe numbers", "9007199254740993"],
			["too small", String((schema.minimum ?? 0) - 1)],
		);
	if (type === "string") {
		wrong.push(
			["NUL", '"a\\u0000b aaaaaaaaa"'],
			["half a surrogate pair", '"aaaaaaaa\\ud800"'],
			["too long", JSON.stringify("x".repeat((schema.maxLength ?? 10_000) + 1))],
		);
		if ((schema.minLength ?? 0) > 0) wrong.push(["empty", '""']);
	}
	if (schema.enum) wrong.push(["another word", '"neither"']);
	const listed = schema.enum?.includes(null) || (Array.isArray(schema.type) && schema.type.includes("null"));
	const takesNull = listed || given.anyOf?.some(({ type }) => type === "null");
	return wrong.filter(([what]) => !(what === "null" && takesNull));
}
