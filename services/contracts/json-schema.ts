// Our rules as JSON Schema (2020-12), for the OpenAPI and AsyncAPI documents. Rules that a contract file exports get a
// name there (`group` becomes `Group`) and are referred to.
import { problems } from "./problems.ts";
import * as health from "./health.ts";
import { nodes } from "./index.ts";
import * as rooms from "./rooms.ts";
import type { Json, Props, Rule } from "./schema.ts";
import * as socket from "./socket.ts";

export type JsonSchema = { readonly [key: string]: Json };

/** "in": what a client sends, exactly. "out": what it gets, where more fields may come with a later version. */
export type Direction = "in" | "out";

export interface SchemaWriter {
	write(rule: Rule, direction: Direction): JsonSchema;
	/** The named schemas that were referred to so far, for `components.schemas`. */
	named(): Record<string, JsonSchema>;
}

/** Wrapping a rule (`optional` …) copies it, but not what is inside: that is how a wrapped rule is known again. */
const coreOf = (rule: Rule): object | undefined => (rule.type === "object" ? rule.props : rule.type === "enum" ? rule.values : undefined);

const names = new Map<object, string>();
for (const file of [health, rooms, ...Object.values(nodes).flat(), socket]) {
	for (const [name, value] of Object.entries(file) as [string, unknown][]) {
		const core = isRule(value) ? coreOf(value) : undefined;
		if (core && !names.has(core)) names.set(core, name.charAt(0).toUpperCase() + name.slice(1));
	}
}

function isRule(value: unknown): value is Rule {
	return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** Writes schemas that refer to each other under `#/components/schemas/`. */
export function schemaWriter(): SchemaWriter {
	const used: Record<string, JsonSchema> = {};

	const write = (rule: Rule, direction: Direction): JsonSchema => {
		const core = coreOf(rule);
		// What goes in may differ from what comes out by its defaults: only what comes out has a name, and lists of words.
		const name = core && (direction === "out" || rule.type === "enum") ? names.get(core) : undefined;
		if (name && !Object.hasOwn(used, name)) {
			used[name] = {};
			used[name] = bare(rule, direction);
		}
		const schema: JsonSchema = name ? { $ref: `#/components/schemas/${name}` } : bare(rule, direction);
		const orNull = rule.nullable && rule.type !== "json" ? withNull(schema) : schema;
		return rule.default === undefined ? orNull : { ...orNull, default: rule.default as Json };
	};

	const bare = (rule: Rule, direction: Direction): JsonSchema => {
		switch (rule.type) {
			case "object":
				return objectSchema(rule.props as Props, direction, write);
			case "array":
				return {
					type: "array",
					items: write(rule.items as Rule, direction),
					...bounds({ minItems: rule.min || undefined, maxItems: direction === "in" ? rule.max : undefined }),
				};
			case "record":
				return {
					type: "object",
					additionalProperties: write(rule.value as Rule, direction),
					propertyNames: { pattern: "^[A-Za-z0-9_.:,-]{1,120}$" },
					...bounds({ maxProperties: rule.max }),
				};
			case "union":
				return {
					oneOf: Object.entries(rule.variants as Record<string, { props: Props }>).map(([kind, { props }]) =>
						objectSchema({ [rule.tag]: { type: "equal", value: kind, strict: true }, ...props }, direction, write),
					),
				};
			case "either":
				return { oneOf: rule.options.map((option) => write(option as Rule, direction)) };
			case "text":
				return { type: "string", ...bounds({ minLength: rule.min || undefined, maxLength: rule.max }), ...formOf(rule, direction) };
			case "time":
				return { type: "string", format: "date-time" };
			case "number":
				return { type: rule.integer ? "integer" : "number", ...bounds({ minimum: rule.min, maximum: rule.max }) };
			case "boolean":
				return { type: "boolean" };
			case "enum":
				return { enum: [...rule.values] };
			case "equal":
				return { const: rule.value };
			case "json":
				return {};
			default:
				return rule satisfies never;
		}
	};

	return { write, named: () => used };
}

/** Named rules as the schema of an object. */
export function objectSchema(props: Props, direction: Direction, write: SchemaWriter["write"]): JsonSchema {
	const entries = Object.entries(props);
	const required = entries
		.filter(([, rule]) => !rule.optional && (direction === "out" || rule.default === undefined))
		.map(([name]) => name);
	return {
		type: "object",
		properties: Object.fromEntries(entries.map(([name, rule]) => [name, write(rule, direction)])),
		...(required.length > 0 ? { required } : {}),
		...(direction === "in" ? { additionalProperties: false } : {}),
	};
}

/** Not blank, where that is asked; a known format says more than our pattern for it. */
function formOf(rule: Extract<Rule, { type: "text" }>, direction: Direction): JsonSchema {
	if (rule.format) return { format: rule.format };
	if (rule.pattern) return { pattern: rule.pattern.source };
	return direction === "in" && rule.min > 0 && !rule.verbatim ? { pattern: "\\S" } : {};
}

function withNull(schema: JsonSchema): JsonSchema {
	const values: JsonSchema = Array.isArray(schema.enum) ? { enum: [...schema.enum, null] } : {};
	if (typeof schema.type === "string") return { ...schema, ...values, type: [schema.type, "null"] };
	return schema.enum ? { ...schema, ...values } : { anyOf: [schema, { type: "null" }] };
}

/** Only the bounds there are. */
function bounds(all: Record<string, number | undefined>): Record<string, number> {
	return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** RFC 9457, with our extensions. Some problems carry more fields. */
export function problemSchema(): JsonSchema {
	const text = { type: "string" };
	return {
		type: "object",
		required: ["type", "title", "status", "detail", "instance", "code", "requestId"],
		properties: {
			type: { ...text, format: "uri" },
			title: text,
			status: { type: "integer", minimum: 400, maximum: 599 },
			detail: text,
			instance: text,
			code: { ...text, examples: Object.keys(problems) },
			requestId: text,
			errors: {
				type: "array",
				items: { type: "object", required: ["path", "code", "message"], properties: { path: text, code: text, message: text } },
			},
			retryAfter: { type: "integer", minimum: 0, description: "Seconds." },
		},
	};
}
