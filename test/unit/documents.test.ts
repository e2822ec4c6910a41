// The documents of both doors, held against the official schemas of their formats, and against the tables they are made of.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { openapi } from "../../services/api/openapi.ts";
import type { Route } from "../../services/api/route.ts";
import { routes } from "../../services/api/routes/index.ts";
import { asyncapi } from "../../services/contracts/asyncapi.ts";
import { allActions, contractOf } from "../../services/contracts/index.ts";
import { schemaWriter } from "../../services/contracts/json-schema.ts";
import type { JsonSchema } from "../../services/contracts/json-schema.ts";
import { problems } from "../../services/contracts/problems.ts";
import {
	array,
	bool,
	compile,
	defaulted,
	int,
	json,
	literal,
	nullable,
	number,
	object,
	oneOf,
	optional,
	record,
	text,
	time,
	union,
	uuid,
} from "../../services/contracts/schema.ts";
import { serverEvents, socketEvents } from "../../services/contracts/socket.ts";

const publicUrl = "http://localhost:3000";
const http = openapi({ routes, publicUrl });
const realtime = asyncapi({ socketEvents, serverEvents, publicUrl });
const require = createRequire(import.meta.url);

/** Every `$ref` in a document. */
function refsIn(value: unknown): string[] {
	if (typeof value !== "object" || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) => (key === "$ref" && typeof inner === "string" ? [inner] : refsIn(inner)));
}
const at = (document: unknown, pointer: string): unknown =>
	pointer
		.slice(2)
		.split("/")
		.reduce((here, key) => (here as Record<string, unknown> | undefined)?.[key], document);

test("the OpenAPI document is valid by the official schema of OpenAPI 3.1", async () => {
	const validator = new Validator();
	const { valid, errors } = await validator.validate(structuredClone(http) as Record<string, unknown>);
	assert.equal(validator.version, "3.1");
	assert.ok(valid, JSON.stringify(errors, null, 1));
});

test("the AsyncAPI document is valid by the official schema of AsyncAPI 3", () => {
	const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
	addFormats.default(ajv);
	const validate = ajv.compile(require("@asyncapi/specs/schemas/3.0.0-without-$id.json") as object);
	assert.ok(validate(structuredClone(realtime)), JSON.stringify(validate.errors, null, 1));
});

test("a document that is wrong is not valid by those schemas", async () => {
	const broken = structuredClone(http) as { paths: Record<string, unknown> };
	broken.paths["/live"] = { get: { responses: "none" } };
	assert.equal((await new Validator().validate(broken as Record<string, unknown>)).valid, false);

	const ajv = new Ajv({ strict: false, validateSchema: false });
	addFormats.default(ajv);
	const validate = ajv.compile(require("@asyncapi/specs/schemas/3.0.0-without-$id.json") as object);
	assert.equal(validate({ ...structuredClone(realtime), operations: { read: { action: "listen" } } }), false);
});

test("every reference in the documents leads somewhere", () => {
	for (const document of [http, realtime]) {
		const refs = refsIn(document);
		assert.ok(refs.length > 20);
		for (const ref of refs) assert.notEqual(at(document, ref), undefined, ref);
	}
});

test("every schema in the documents is a JSON Schema that compiles", () => {
	const ajv = new Ajv2020({ strict: false, validateSchema: true });
	addFormats.default(ajv);
	for (const document of [http, realtime]) {
		const { schemas } = document.components as { schemas: Record<string, JsonSchema> };
		for (const [name, schema] of Object.entries(schemas))
			assert.doesNotThrow(() => ajv.compile({ ...schema, components: { schemas } }), name);
	}
});

type Operation = { operationId: string; security: JsonSchema[]; responses: JsonSchema };

function operationOf({ method, path }: Route): Operation {
	const paths = http.paths as Record<string, Record<string, Operation>>;
	const operation = paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
	assert.ok(operation, `${method} ${path}`);
	return operation;
}

test("every row of the routes table is an operation, with a name of its own", () => {
	const names = new Set<string>();
	for (const row of routes) names.add(operationOf(row).operationId);
	assert.equal(names.size, routes.length);
});

test("an operation says who asks: nobody in particular, a person, a client of its own, or whoever likes to say so", () => {
	const waysOf = ({ access, client, token }: Route): string[] => {
		if (client) return ["clientAuth", ""];
		if (access !== "anyone") return ["bearerAuth", "cookieAuth"];
		return token ? ["bearerAuth", "cookieAuth", ""] : [];
	};
	for (const row of routes) {
		const ways = operationOf(row).security.map((way) => Object.keys(way).join());
		assert.deepEqual(ways, waysOf(row), row.path);
	}
});

test("an operation has the status of every refusal that its contract names, and 403 wherever cookies are set or read", () => {
	for (const row of routes) {
		const { responses } = operationOf(row);
		for (const code of contractOf(row.action).errors ?? []) assert.ok(responses[problems[code].status], `${row.path} ${code}`);
		if (row.session || row.access !== "anyone") assert.ok(responses[403], row.path);
	}
	const login = operationOf(routes.find(({ path }) => path === "/api/auth/login") as Route);
	for (const status of [200, 401, 403, 422, 429]) assert.ok(login.responses[status], String(status));
});

test("every event of both socket tables is an operation of the AsyncAPI document", () => {
	const operations = Object.keys(realtime.operations as object);
	assert.deepEqual(
		operations.sort(),
		[...Object.keys(socketEvents), ...Object.keys(serverEvents)].map((event) => event.replaceAll(":", ".")).sort(),
	);
});

test("tables name only actions that their contract publishes", () => {
	for (const { action } of routes) assert.equal(contractOf(action).published, true, action);
});

test("what a contract publishes has a row or a socket event that could name it", () => {
	const named = new Set<string>(routes.map(({ action }) => action));
	const overSocketOnly = ["presence.set", "presence.focus"];
	const unnamed = Object.entries(allActions)
		.filter(([name, contract]) => "published" in contract && contract.published && !named.has(name))
		.map(([name]) => name);
	assert.deepEqual(
		unnamed.filter((name) => !overSocketOnly.includes(name)),
		[],
	);
});

test("the document's schema and the checker agree on what is valid", () => {
	const rule = object({
		id: uuid,
		name: text(1, 5),
		count: optional(int(0, 9)),
		share: optional(number(0, 1)),
		kind: nullable(oneOf("a", "b")),
		flags: defaulted(array(bool, { max: 2 }), []),
		names: optional(record(text(0, 3))),
		at: optional(time),
		what: optional(union("type", { text: object({ body: text(1, 3) }), number: object({ value: int() }) })),
		any: optional(json),
		three: optional(literal(3)),
	});
	const ajv = new Ajv2020({ strict: false });
	addFormats.default(ajv);
	const writer = schemaWriter();
	const bySchema = ajv.compile(writer.write(rule, "in"));
	const byChecker = compile(rule);
	const good = { id: "0199aaaa-0000-7000-8000-000000000000", name: "ab", kind: null };
	const samples: [unknown, boolean][] = [
		[good, true],
		[{ ...good, name: "😀😀😀😀😀" }, true],
		[{ ...good, name: "😀😀😀😀😀😀" }, false],
		[{ ...good, name: " " }, false],
		[{ ...good, name: null }, false],
		[{ ...good, other: 1 }, false],
		[{ ...good, id: "1" }, false],
		[{ ...good, count: 9, share: 0.5 }, true],
		[{ ...good, count: 10 }, false],
		[{ ...good, count: 1.5 }, false],
		[{ ...good, count: null }, false],
		[{ ...good, kind: "c" }, false],
		[{ id: good.id, name: "x" }, false],
		[{ ...good, flags: [true, false] }, true],
		[{ ...good, flags: [true, false, true] }, false],
		[{ ...good, names: { a: "x" } }, true],
		[{ ...good, names: { "a b": "x" } }, false],
		[{ ...good, at: "2026-01-31T12:00:00.123Z" }, true],
		[{ ...good, at: "yesterday" }, false],
		[{ ...good, what: { type: "text", body: "x" } }, true],
		[{ ...good, what: { type: "number", value: 1 } }, true],
		[{ ...good, what: { type: "number", body: "x" } }, false],
		[{ ...good, any: { deep: [null] }, three: 3 }, true],
		[{ ...good, three: 4 }, false],
		["text", false],
		[null, false],
	];
	for (const [sample, expected] of samples) {
		assert.equal(bySchema(sample), expected, `schema: ${JSON.stringify(sample)}`);
		assert.equal(byChecker(sample).ok, expected, `checker: ${JSON.stringify(sample)}`);
	}
});
