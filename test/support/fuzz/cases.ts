// Everything wrong that can be said to one operation, one thing at a time, with the statuses that are right answers to it.
import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Operation, Parameter, Plain } from "./document.ts";
import { fitting, hasBody, unfitting } from "./document.ts";

export interface Sent {
	what: string;
	method?: string;
	path?: string;
	headers?: Record<string, string | string[]>;
	body?: string | Buffer;
	/** The statuses that are right. */
	right: number[];
}

export interface Fuzzed {
	operations: readonly Operation[];
	plain: Plain;
	/** What stands in the path for a parameter, by its name; the others get a value made from their schema. */
	ids: Readonly<Record<string, string>>;
	/** Of somebody who is signed in. */
	accessToken: string;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** The value of a path's parameter: one that is there, or at least could be. */
const pathValue = ({ ids, plain }: Fuzzed, { name, schema }: Parameter): string => ids[name] ?? String(fitting(schema, plain));

/** Where an operation is; `replaced` by the names of its parameters. */
export function urlOf(fuzzed: Fuzzed, operation: Operation, replaced: Record<string, string> = {}): string {
	const values = operation.inPath.map((parameter) => [parameter.name, pathValue(fuzzed, parameter)]);
	const all: Record<string, string> = { ...Object.fromEntries(values), ...replaced };
	return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => all[name] as string);
}

function withQuery({ plain }: Fuzzed, operation: Operation, replaced: Record<string, string> = {}): string {
	const required = operation.inQuery.filter((parameter) => parameter.required);
	const values = required.map((parameter) => [parameter.name, String(fitting(parameter.schema, plain))]);
	const query = new URLSearchParams({ ...Object.fromEntries(values), ...replaced }).toString();
	return query ? `?${query}` : "";
}

/** The request that an operation's description asks for. */
export function goodRequest(fuzzed: Fuzzed, operation: Operation): { path: string; body?: string } {
	const body = operation.body ? JSON.stringify(fitting(operation.body, fuzzed.plain)) : undefined;
	return { path: urlOf(fuzzed, operation) + withQuery(fuzzed, operation), ...(body === undefined ? {} : { body }) };
}

export function* cases(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	yield* byAnotherMethod(fuzzed, operation);
	if (operation.signedIn) yield* byAStranger(fuzzed, operation);
	yield* inThePath(fuzzed, operation);
	yield* inTheQuery(fuzzed, operation);
	yield* inTheHeaders(fuzzed, operation);
	if (!hasBody(operation)) return;
	if (operation.raw) yield* asRawBody(fuzzed, operation);
	else if (operation.file) yield* asAForm(fuzzed, operation, operation.file);
	else yield* asABody(fuzzed, operation);
	if (operation.body) yield* inTheBody(fuzzed, operation);
}

function* byAnotherMethod(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	const here = fuzzed.operations.filter(({ path }) => path === operation.path).map(({ method }) => method);
	for (const method of [...METHODS.filter((method) => !here.includes(method)), "PROPFIND", "TRACE"])
		yield { what: `by ${method}`, method, path: urlOf(fuzzed, operation), right: [404, 405] };
}

function* byAStranger(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	const good = goodRequest(fuzzed, operation);
	for (const authorization of [
		undefined,
		"",
		"Bearer",
		"Bearer x",
		"Basic YTpi",
		"Bearer a.b.c",
		`Bearer ${"a".repeat(4000)}`,
		"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
		`Bearer ${fuzzed.accessToken}.x`,
	]) {
		yield {
			what: `with Authorization ${authorization}`.slice(0, 60),
			...good,
			headers: { Authorization: authorization ?? [] },
			right: [401],
		};
	}
}

function* inThePath(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	const { body } = goodRequest(fuzzed, operation);
	const said = body === undefined ? {} : { body };
	const at = (name: string, value: string) => urlOf(fuzzed, operation, { [name]: value }) + withQuery(fuzzed, operation);
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
				path: at(name, value),
				...said,
				right: isText ? [404, 422] : [404],
			};
		}
		for (const value of ["%", "%ff", "%e0%a4"]) yield { what: `with ${name} ${value}`, path: at(name, value), ...said, right: [400, 404] };
	}
}

function* inTheQuery(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	const { path, body } = goodRequest(fuzzed, operation);
	const said = body === undefined ? {} : { body };
	const join = path.includes("?") ? "&" : "?";
	for (const name of ["unknown", "__proto__", "constructor[prototype]", "groupId", "$where", "a".repeat(3000)])
		if (!operation.loose && !operation.inQuery.some((parameter) => parameter.name === name))
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
				path: `${urlOf(fuzzed, operation)}?${name}=${encodeURIComponent(String(fitting(schema, fuzzed.plain)))}&${name}=${encodeURIComponent(String(fitting(schema, fuzzed.plain)))}`,
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
				path: urlOf(fuzzed, operation) + withQuery(fuzzed, operation, { [name]: value }),
				right: [400, 422],
			};
	}
}

function* inTheHeaders(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	const good = goodRequest(fuzzed, operation);
	if (operation.method === "POST")
		for (const key of ["", "a b", '"', "x".repeat(300), "\u00e9"])
			yield { what: `with Idempotency-Key ${key.slice(0, 10)}`, ...good, headers: { "Idempotency-Key": key }, right: [400, 422] };
	yield { what: "with headers of 20 KB", ...good, headers: { "X-Big": "x".repeat(20_000) }, right: [431] };
}

function* asABody(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	const { path, body: good = "{}" } = goodRequest(fuzzed, operation);
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
		yield { what: `as ${type}`, path, headers: { "Content-Type": type }, body: good, right: bad ?? [415] };
	yield { what: "compressed", path, headers: { "Content-Encoding": "gzip" }, body: gzipSync(good), right: bad ?? [415] };
	// OAuth's endpoints pass over what they do not know (RFC 6749, 3.2).
	if (!operation.oauth) {
		yield { what: "with an unknown field", path, body: JSON.stringify({ ...JSON.parse(good), unknown: 1 }), right: [422] };
		yield {
			what: "with __proto__",
			path,
			body: `${(good).slice(0, -1)}${good !== "{}" ? "," : ""}"__proto__":{"admin":true}}`,
			right: [422],
		};
	}
	for (const parameter of operation.inPath)
		yield {
			what: `with ${parameter.name} in the body`,
			path,
			body: JSON.stringify({ ...JSON.parse(good), [parameter.name]: pathValue(fuzzed, parameter) }),
			right: bad ?? [422],
		};
}

function* asAForm(fuzzed: Fuzzed, operation: Operation, file: string): Generator<Sent> {
	const { path } = goodRequest(fuzzed, operation);
	const part = (head: string, body: string) => `--b\r\nContent-Disposition: form-data${head}\r\n\r\n${body}\r\n`;
	const field = (name: string, body: string) => part(`; name="${name}"; filename="a.png"`, body);
	for (const type of ["application/json", "text/plain", "", "multipart/mixed; boundary=b", "multipart/form-datax; boundary=b"])
		yield { what: `as ${type}`, path, headers: { "Content-Type": type }, body: `${field(file, "x")}--b--`, right: [415] };
	const form = (what: string, body: string | Buffer, right: number[], more: Record<string, string> = {}): Sent => ({
		what,
		path,
		headers: { "Content-Type": "multipart/form-data; boundary=b", ...more },
		body,
		right,
	});
	yield form("without a boundary", "x", [400], { "Content-Type": "multipart/form-data" });
	yield form("with a boundary of 5 KB", "x", [400], { "Content-Type": `multipart/form-data; boundary=${"b".repeat(5000)}` });
	for (const body of ["x", "--b", "--b\r\n", field(file, "x"), `${field(file, "x")}--b`, "\0".repeat(1000), "\r\n--b".repeat(1000)])
		yield form(`with the form ${JSON.stringify(body.slice(0, 20))}`, body, [400, 415, 422]);
	for (const name of ["unknown", "__proto__", `${file}[]`, "", "a".repeat(5000), "\0"])
		yield form(`with the field ${name.slice(0, 20)}`, `${field(name, "x")}--b--\r\n`, [400, 422]);
	yield form("with a field that has no name", `${part("", "x")}--b--\r\n`, [400, 422]);
	yield form("with a text for the file", `${part(`; name="${file}"`, "x")}--b--\r\n`, [422]);
	yield form("with no file", "--b--\r\n", [400, 422]);
	yield form("with an empty file", `${field(file, "")}--b--\r\n`, [415]);
	yield form("with no picture", `${field(file, "x".repeat(200_000))}--b--\r\n`, [415]);
	yield form("with a thousand parts", `${field(file, "GIF89a and more").repeat(1000)}--b--\r\n`, [400, 422]);
	yield form("compressed", gzipSync(`${field(file, "x")}--b--\r\n`), [415], { "Content-Encoding": "gzip" });
}

/** Signed by nobody, or for a sender that this server does not know. */
function* asRawBody(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	const { path } = goodRequest(fuzzed, operation);
	for (const body of ["", "{", "[]", "null", "x".repeat(50_000), "[".repeat(50_000)])
		yield { what: `with the body ${body.slice(0, 20)}`, path, body, right: [400, 404, 422] };
	yield { what: "with a body that is no UTF-8", path, body: Buffer.from([0xc3, 0x28]), right: [400] };
	yield { what: "with a body of 200 KB", path, body: "x".repeat(200_000), right: [413] };
	yield { what: "compressed", path, headers: { "Content-Encoding": "gzip" }, body: gzipSync("{}"), right: [415] };
}

function* inTheBody(fuzzed: Fuzzed, operation: Operation): Generator<Sent> {
	const { path, body: good = "{}" } = goodRequest(fuzzed, operation);
	const right = operation.oauth ? [400] : [422];
	const { properties = {}, required = [] } = fuzzed.plain(operation.body ?? {});
	for (const name of required) {
		const { [name]: _gone, ...rest } = JSON.parse(good);
		yield { what: `without ${name}`, path, body: JSON.stringify(rest), right };
	}
	for (const [name, schema] of Object.entries(properties)) {
		for (const [what, text] of unfitting(schema, fuzzed.plain)) {
			const { [name]: _other, ...rest } = JSON.parse(good);
			const start = JSON.stringify(rest).slice(0, -1);
			yield {
				what: `with ${what} as ${name}`,
				path,
				body: `${start}${start === "{" ? "" : ","}${JSON.stringify(name)}:${text}}`,
				right,
			};
		}
	}
}
