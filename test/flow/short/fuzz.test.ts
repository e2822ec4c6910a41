// Garbage at every operation of the OpenAPI document: never a 5xx, always a problem object that gives nothing away, and
// nothing of it is stored. What is sent is made from the document, so a new route is fuzzed the day it is written.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { nodesWithMigrations } from "../../../config/migrations.ts";
import { database } from "../../../mixins/postgres.ts";
import { startTestApp } from "../../support/app.ts";
import type { TestApp } from "../../support/app.ts";
import type { Person } from "../../support/client.ts";
import { http, person } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";

interface Schema {
	$ref?: string;
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
interface Parameter {
	name: string;
	in: "path" | "query" | "header";
	required: boolean;
	schema: Schema;
}
interface Operation {
	id: string;
	method: string;
	path: string;
	signedIn: boolean;
	oauth: boolean;
	inPath: Parameter[];
	inQuery: Parameter[];
	body: Schema | undefined;
}
interface Sent {
	what: string;
	method?: string;
	path?: string;
	headers?: Record<string, string | string[]>;
	body?: string | Buffer;
	/** The statuses that are right. */
	right: number[];
}
interface Heard {
	status: number;
	type: string;
	text: string;
}

let app: TestApp;
let ana: Person;
let ids: Record<string, string>;
let operations: Operation[];
let document: {
	paths: Record<string, Record<string, unknown>>;
	components: { schemas: Record<string, Schema>; parameters: Record<string, unknown> };
};
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

before(async () => {
	app = await startTestApp();
	ana = await person(app.url, "Ana");
	const group = (await ana.post("/api/groups", { name: "Fuzzed", isPublic: true })).body;
	const message = (await ana.post(`/api/groups/${group.id}/messages`, { clientId: "c-1", kind: "text", content: "hello" })).body;
	ids = {
		groupId: group.id,
		seq: String(message.seq),
		profileId: ana.profileId,
		emoji: "x",
		inviteId: randomUUID(),
		sessionId: randomUUID(),
	};
	document = (await http(app.url, "/api/openapi.json")).body;
	operations = Object.entries(document.paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => read(method.toUpperCase(), path, operation as never)),
	);
});
after(async () => {
	agent.destroy();
	await app.stop();
});

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

function read(
	method: string,
	path: string,
	operation: {
		operationId: string;
		security?: unknown[];
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
		signedIn: (operation.security ?? []).length > 0,
		oauth: "application/x-www-form-urlencoded" in content,
		inPath: parameters.filter((parameter) => parameter.in === "path"),
		inQuery: parameters.filter((parameter) => parameter.in === "query"),
		body: content["application/json"]?.schema,
	};
}

const plain = (schema: Schema): Schema =>
	schema.$ref ? plain(document.components.schemas[schema.$ref.split("/").at(-1) as string] as Schema) : schema;

/** A value that fits: so that the one thing wrong with a request is what the case is about. */
function fitting(given: Schema): unknown {
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
			return Array.from({ length: schema.minItems ?? 0 }, () => fitting(schema.items ?? {}));
		case "object":
			return Object.fromEntries(
				Object.entries(schema.properties ?? {})
					.filter(([name]) => schema.required?.includes(name))
					.map(([name, inner]) => [name, fitting(inner)]),
			);
		default:
			return null;
	}
}

/** Values that do not fit; as JSON text, because some cannot be said in JavaScript. */
function unfitting(given: Schema): [string, string][] {
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
	return wrong.filter(([what]) => !(what === "null" && Array.isArray(schema.type) && schema.type.includes("null")));
}

const urlOf = (operation: Operation, replaced: Record<string, string> = {}): string =>
	operation.path.replace(/\{(\w+)\}/g, (_, name: string) => replaced[name] ?? ids[name] ?? "x");
const withQuery = (operation: Operation, replaced: Record<string, string> = {}): string => {
	const required = Object.fromEntries(
		operation.inQuery.filter((parameter) => parameter.required).map((parameter) => [parameter.name, String(fitting(parameter.schema))]),
	);
	const query = new URLSearchParams({ ...required, ...replaced }).toString();
	return query ? `?${query}` : "";
};
const hasBody = (operation: Operation): boolean => ["POST", "PUT", "PATCH"].includes(operation.method);

/** Everything wrong that can be said to one operation, one thing at a time. */
function* cases(operation: Operation): Generator<Sent> {
	const path = urlOf(operation) + withQuery(operation);
	const good = operation.body ? JSON.stringify(fitting(operation.body)) : undefined;
	const said = good === undefined ? {} : { body: good };
	const methods = METHODS.filter((method) => operations.some((other) => other.path === operation.path && other.method === method));
	for (const method of [...METHODS.filter((method) => !methods.includes(method)), "PROPFIND", "TRACE"])
		yield { what: `by ${method}`, method, path: urlOf(operation), right: [404, 405] };

	if (operation.signedIn) {
		for (const authorization of [
			undefined,
			"",
			"Bearer",
			"Bearer x",
			"Basic YTpi",
			"Bearer a.b.c",
			`Bearer ${"a".repeat(4000)}`,
			"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
			`Bearer ${ana.accessToken}.x`,
		]) {
			yield {
				what: `with Authorization ${authorization}`.slice(0, 60),
				path,
				headers: { Authorization: authorization ?? [] },
				...said,
				right: [401],
			};
		}
	}
	for (const { name, schema } of operation.inPath) {
		const isText = schema.type === "string" && schema.format !== "uuid";
		for (const value of [
			"1.5",
			"-1",
			"%00",
			"..%2f..%2fetc%2fpasswd",
			"x'%20or%201=1--",
			"%F0%9F%92%A9",
			`${randomUUID()}%00`,
			"a".repeat(500),
		]) {
			// A reaction may be nearly any short text: for it only what cannot be one is garbage.
			if (isText && !/%00|^a{500}/.test(value)) continue;
			yield {
				what: `with ${name} ${value}`.slice(0, 60),
				path: urlOf(operation, { [name]: value }) + withQuery(operation),
				...said,
				right: isText ? [404, 422] : [404],
			};
		}
		for (const value of ["%", "%ff", "%e0%a4"])
			yield { what: `with ${name} ${value}`, path: urlOf(operation, { [name]: value }) + withQuery(operation), ...said, right: [400, 404] };
	}
	const join = path.includes("?") ? "&" : "?";
	for (const name of ["unknown", "__proto__", "constructor[prototype]", "groupId", "$where", "a".repeat(3000)])
		if (!operation.inQuery.some((parameter) => parameter.name === name))
			yield {
				what: `with ?${name.slice(0, 30)}`,
				path: `${path}${join}${encodeURIComponent(name)}=1`,
				...said,
				right: [422, ...(operation.oauth ? [400] : [])],
			};
	yield { what: "with a query that is no UTF-8", path: `${path}${join}a=%ff`, ...said, right: [400] };
	for (const { name, schema } of operation.inQuery) {
		if (schema.type !== "array")
			yield {
				what: `with ${name} twice`,
				path: `${urlOf(operation)}?${name}=${encodeURIComponent(String(fitting(schema)))}&${name}=${encodeURIComponent(String(fitting(schema)))}`,
				right: [422],
			};
		const values =
			schema.type === "string"
				? ["\0", "x".repeat((schema.maxLength ?? 10_000) + 1)]
				: schema.type === "boolean"
					? ["yes", "1", ""]
					: ["", "x", "1e9", "0x10", "NaN", "-1.5", "99999999999999999999", "\0"];
		for (const value of values)
			yield {
				what: `with ${name}=${value.slice(0, 20)}`,
				path: urlOf(operation) + withQuery(operation, { [name]: value }),
				right: [400, 422],
			};
	}

	if (operation.method === "POST")
		for (const key of ["", "a b", '"', "x".repeat(300), "\u00e9"])
			yield { what: `with Idempotency-Key ${key.slice(0, 10)}`, path, headers: { "Idempotency-Key": key }, ...said, right: [400, 422] };
	yield { what: "with headers of 20 KB", path, headers: { "X-Big": "x".repeat(20_000) }, ...said, right: [431] };
	if (!hasBody(operation)) return;

	const bad = operation.oauth ? [400] : undefined;
	for (const body of ["{", "{]", "undefined", '{"a":1}{', "\u{feff}\u{feff}{}", '{"a":\u0001}'])
		yield { what: `with the body ${body}`, path, body, right: [400] };
	yield {
		what: "with a body that is no UTF-8",
		path,
		body: Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]),
		right: [400],
	};
	for (const body of [
		"[]",
		"null",
		"7",
		'"x"',
		"true",
		"[".repeat(50_000) + "]".repeat(50_000),
		`{"a":${"[".repeat(1000)}${"]".repeat(1000)}}`,
		`${'{"a":'.repeat(1000)}1${"}".repeat(1000)}`,
	])
		yield { what: `with the body ${body.slice(0, 20)}`, path, body, right: bad ?? [422] };
	yield { what: "with a body of 200 KB", path, body: JSON.stringify({ content: "x".repeat(200_000) }), right: [413, ...(bad ?? [])] };
	for (const type of [
		"text/plain",
		"application/xml",
		"multipart/form-data; boundary=x",
		"application/json; charset=utf-16",
		"",
		"application/json-patch+json",
	])
		yield { what: `as ${type}`, path, headers: { "Content-Type": type }, body: good ?? "{}", right: bad ?? [415] };
	yield { what: "compressed", path, headers: { "Content-Encoding": "gzip" }, body: gzipSync(good ?? "{}"), right: bad ?? [415] };
	yield { what: "with an unknown field", path, body: JSON.stringify({ ...JSON.parse(good ?? "{}"), unknown: 1 }), right: bad ?? [422] };
	yield {
		what: "with __proto__",
		path,
		body: `${(good ?? "{}").slice(0, -1)}${good && good !== "{}" ? "," : ""}"__proto__":{"admin":true}}`,
		right: bad ?? [422],
	};
	for (const { name } of operation.inPath)
		yield {
			what: `with ${name} in the body`,
			path,
			body: JSON.stringify({ ...JSON.parse(good ?? "{}"), [name]: ids[name] }),
			right: bad ?? [422],
		};
	if (!operation.body) return;
	const { properties = {}, required = [] } = plain(operation.body);
	for (const name of required) {
		const { [name]: _gone, ...rest } = JSON.parse(good as string);
		yield { what: `without ${name}`, path, body: JSON.stringify(rest), right: bad ?? [422] };
	}
	for (const [name, schema] of Object.entries(properties)) {
		for (const [what, text] of unfitting(schema)) {
			const { [name]: _other, ...rest } = JSON.parse(good as string);
			const start = JSON.stringify(rest).slice(0, -1);
			yield {
				what: `with ${what} as ${name}`,
				path,
				body: `${start}${start === "{" ? "" : ","}${JSON.stringify(name)}:${text}}`,
				right: bad ?? [422],
			};
		}
	}
}

function send(
	operation: Operation,
	{ method = operation.method, path = urlOf(operation), headers = {}, body }: Omit<Sent, "what" | "right">,
): Promise<Heard> {
	const all: Record<string, string | string[]> = {
		...(operation.signedIn ? { Authorization: `Bearer ${ana.accessToken}` } : {}),
		...(body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(body)) }),
		...headers,
	};
	return new Promise((resolve, reject) => {
		const asked = request(new URL(app.url), { method, path, headers: all, agent, setHost: true }, (answer) => {
			const chunks: Buffer[] = [];
			answer.on("data", (chunk: Buffer) => chunks.push(chunk));
			answer.on("end", () =>
				resolve({
					status: answer.statusCode as number,
					type: answer.headers["content-type"] ?? "",
					text: Buffer.concat(chunks).toString(),
				}),
			);
			answer.on("error", reject);
		});
		asked.on("error", reject);
		asked.end(body);
	});
}

/** Words of stacks, files, SQL and drivers. */
const LEAK =
	/\bat [\w.<>]+ \(|\.[cm]?[jt]s:\d|node_modules|\/work\/|\bselect \S+ from\b|\binsert into\b|\brelation "|\bcolumn "|SQLSTATE|\bpg_|ECONN|TypeError|RangeError|SyntaxError|fastest-validator|moleculer/i;

function isRight(operation: Operation, { what, right }: Sent, { status, type, text }: Heard): void {
	const name = `${operation.method} ${operation.path} ${what}`;
	assert.ok(right.includes(status), `${name}: ${status}, not ${right.join(" or ")}: ${text.slice(0, 300)}`);
	assert.doesNotMatch(text, LEAK, name);
	if (operation.oauth && type.startsWith("application/json")) {
		assert.equal(typeof JSON.parse(text).error, "string", name);
		return;
	}
	assert.equal(type, "application/problem+json", name);
	const problem = JSON.parse(text);
	for (const field of ["type", "title", "detail", "instance", "code", "requestId"])
		assert.equal(typeof problem[field], "string", `${name}: ${field}`);
	assert.equal(problem.status, status, name);
	assert.equal(problem.type, `urn:reloop:problem:${problem.code}`, name);
}

/** How many rows every table of every node has. */
async function rows(): Promise<Record<string, number>> {
	const counts: Record<string, number> = {};
	for (const node of nodesWithMigrations()) {
		const db = database(node);
		const tables = await db.query<{ name: string }>("select tablename as name from pg_tables where schemaname = current_schema()");
		for (const { name } of tables)
			counts[`${node}.${name}`] = (await db.query<{ n: number }>(`select count(*) as n from "${name}"`))[0]?.n ?? -1;
	}
	return counts;
}

async function inTurns<T>(items: Iterable<T>, lanes: number, work: (item: T) => Promise<void>): Promise<void> {
	const rest = items[Symbol.iterator]();
	await Promise.all(
		Array.from({ length: lanes }, async () => {
			for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
		}),
	);
}

test("every operation refuses garbage, gives nothing away and stores nothing", async () => {
	assert.ok(operations.length >= 45, `the document has ${operations.length} operations`);
	// What the message of the beginning earned has to arrive first.
	await eventually(async () => assert.ok(((await rows())["presence.room_events"] ?? 0) > 0));
	const before = await rows();
	let sent = 0;
	for (const operation of operations) {
		await inTurns(cases(operation), 8, async (garbage) => {
			isRight(operation, garbage, await send(operation, garbage));
			sent++;
		});
	}
	assert.ok(sent > 2_000, `only ${sent} cases were made`);
	assert.deepEqual(await rows(), before);
});

test("random JSON is never a fault of ours", async () => {
	// The same garbage in every run: a failure can be repeated.
	let seed = 20_260_701;
	const random = (below: number): number => {
		seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
		return seed % below;
	};
	const texts = [
		"",
		" ",
		"\u0000",
		"\ud800",
		"x".repeat(5000),
		"💩",
		"‮",
		"'; drop table groups; --",
		"{{7*7}}",
		"../../etc/passwd",
		"__proto__",
		"true",
		"-0",
		"1e5",
		randomUUID(),
	];
	const value = (depth: number): unknown => {
		const kind = random(depth > 0 ? 8 : 6);
		if (kind === 0) return texts[random(texts.length)];
		if (kind === 1) return [-1, 0, 1, 0.1, 2 ** 53, -(2 ** 63), 1e308][random(7)];
		if (kind === 2) return random(2) === 0;
		if (kind === 3) return null;
		if (kind === 4) return texts[random(texts.length)];
		if (kind === 5) return random(1000);
		if (kind === 6) return Array.from({ length: random(5) }, () => value(depth - 1));
		return Object.fromEntries(Array.from({ length: random(5) }, () => [texts[random(texts.length)], value(depth - 1)]));
	};
	const withBodies = operations.filter(
		(operation) => hasBody(operation) && operation.id !== "auth.logout" && operation.id !== "groups.leave",
	);
	await inTurns(Array.from({ length: 1_500 }), 8, async () => {
		const operation = withBodies[random(withBodies.length)] as Operation;
		const names = Object.keys(plain(operation.body ?? {}).properties ?? {});
		const body = JSON.stringify(Object.fromEntries(names.filter(() => random(4) > 0).map((name) => [name, value(3)])));
		const { status, text } = await send(operation, { path: urlOf(operation), body });
		assert.ok(status < 500, `${operation.method} ${operation.path} ${body.slice(0, 500)}: ${status} ${text.slice(0, 300)}`);
		if (status >= 400) assert.doesNotMatch(text, LEAK);
	});
});

test("after all of it the platform works as before", async () => {
	assert.equal((await http(app.url, "/ready")).body.status, "ok");
	assert.equal((await ana.get(`/api/groups/${ids.groupId}`)).body.name.length > 0, true);
});
