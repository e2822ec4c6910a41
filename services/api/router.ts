// From the table of routes to the answer "which row is this": checks the table against the contracts, so that a mistake
// stops the start, and finds rows by walking the path's words instead of trying patterns one after another.
import type { LimitName, Method, Route } from "./route.ts";
import type { Rule } from "../contracts/schema.ts";

/** What the check needs to know of an action. */
export interface PublishedAction {
	readonly params: Readonly<Record<string, Rule>>;
	readonly published?: boolean;
}
export type ActionTable = Readonly<Record<string, PublishedAction>>;

/** How a text of a path or a query becomes a value. What does not fit stays a text, and the contract refuses it. */
export type Coercion = "text" | "number" | "boolean" | "list";

export interface CompiledRoute {
	readonly row: Route;
	/** `METHOD /path/:of/:the/row`: names it in logs and scopes. */
	readonly id: string;
	readonly hasBody: boolean;
	readonly status: number;
	readonly limit: LimitName;
	readonly pathParams: readonly PathParam[];
	readonly queryParams: ReadonlyMap<string, Coercion>;
	/** Parameters that the body must not carry, because the path or the row gives them. */
	readonly givenParams: ReadonlySet<string>;
}

export interface PathParam {
	readonly name: string;
	readonly coercion: Coercion;
	/** What a value must look like to name anything at all; others are 404. */
	readonly shape: RegExp | undefined;
}

export type Found = { kind: "row"; route: CompiledRoute; values: string[] } | { kind: "wrong-method"; allow: string } | undefined;

export interface Router {
	readonly routes: readonly CompiledRoute[];
	/** `path` has no query and no trailing slash. A HEAD is found where a GET is. */
	find(method: string, path: string): Found;
	/** The value of Allow for a path; undefined where there is nothing. */
	allowed(path: string): string | undefined;
}

const METHODS: readonly string[] = ["GET", "POST", "PUT", "PATCH", "DELETE"] satisfies Method[];
const SCOPE = /^[a-z][a-z0-9-]*:[a-z*][a-z0-9-]*$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const WHOLE = /^[0-9]{1,15}$/;

interface Place {
	words: Map<string, Place>;
	param: Place | undefined;
	rows: Map<string, CompiledRoute>;
	allow: string;
}

/** Throws an Error with one sentence per fault. */
export function makeRouter(table: readonly Route[], actions: ActionTable): Router {
	const faults: string[] = [];
	const root = place();
	const compiled: CompiledRoute[] = [];
	for (const row of table) {
		const id = `${row.method} ${row.path}`;
		const found = faultsOf(row, id, actions);
		faults.push(...found);
		if (found.length > 0) continue;
		const route = compile(row, id, actions[row.action] as PublishedAction);
		compiled.push(route);
		const end = reach(root, row.path);
		const other = end.rows.get(row.method);
		if (other) faults.push(`${id} clashes with ${other.id}.`);
		end.rows.set(row.method, route);
	}
	if (faults.length > 0) throw new Error(`The routes table is wrong:\n${faults.join("\n")}`);
	finish(root);

	const walk = (path: string, values: string[]): Place | undefined => {
		if (path.charCodeAt(0) !== 47) return undefined;
		let here = root;
		for (let start = 1; start <= path.length; ) {
			const slash = path.indexOf("/", start);
			const stop = slash === -1 ? path.length : slash;
			const word = path.slice(start, stop);
			const next = here.words.get(word);
			if (next) here = next;
			else if (here.param && word !== "") {
				here = here.param;
				values.push(word);
			} else return undefined;
			start = stop + 1;
		}
		return here;
	};

	return {
		routes: compiled,
		find(method, path) {
			const values: string[] = [];
			const end = walk(path, values);
			if (!end || end.rows.size === 0) return undefined;
			const route = end.rows.get(method === "HEAD" ? "GET" : method);
			return route ? { kind: "row", route, values } : { kind: "wrong-method", allow: end.allow };
		},
		allowed: (path) => walk(path, [])?.allow || undefined,
	};
}

function faultsOf(row: Route, id: string, actions: ActionTable): string[] {
	const faults: string[] = [];
	if (!METHODS.includes(row.method)) faults.push(`${id}: there is no method ${row.method}.`);
	if (!row.path.startsWith("/") || row.path.endsWith("/")) faults.push(`${id}: a path begins with a slash and does not end with one.`);
	if (row.access !== "anyone" && row.access !== "signed-in" && !SCOPE.test(row.access ?? ""))
		faults.push(`${id} has no access rule: "anyone", "signed-in" or a scope.`);
	const action = Object.hasOwn(actions, row.action) ? actions[row.action] : undefined;
	if (!action) return [...faults, `${id}: the action ${row.action} is in no contract.`];
	if (!action.published) faults.push(`${id}: the action ${row.action} is not marked published.`);
	const inPath = paramNames(row.path);
	if (new Set(inPath).size !== inPath.length) faults.push(`${id} names a parameter twice.`);
	for (const name of inPath) if (!Object.hasOwn(action.params, name)) faults.push(`${id}: :${name} is no parameter of ${row.action}.`);
	for (const name of [...(row.query ?? []), ...Object.keys(row.fixed ?? {})]) {
		if (!Object.hasOwn(action.params, name)) faults.push(`${id}: ${name} is no parameter of ${row.action}.`);
		if (inPath.includes(name)) faults.push(`${id}: ${name} comes from the path and from elsewhere.`);
	}
	return faults;
}

function compile(row: Route, id: string, action: PublishedAction): CompiledRoute {
	const hasBody = row.method === "POST" || row.method === "PUT" || row.method === "PATCH";
	const pathParams = paramNames(row.path).map((name) => pathParam(name, action.params[name] as Rule));
	const given = new Set([...pathParams.map((param) => param.name), ...Object.keys(row.fixed ?? {})]);
	const fromQuery = hasBody ? [...(row.query ?? [])] : Object.keys(action.params).filter((name) => !given.has(name));
	const queryParams = new Map(fromQuery.map((name) => [name, coercionOf(action.params[name] as Rule)]));
	return {
		row,
		id,
		hasBody,
		status: row.status ?? 200,
		limit: row.limit ?? (row.method === "GET" ? "read" : "write"),
		pathParams,
		queryParams,
		givenParams: new Set([...given, ...(hasBody ? fromQuery : [])]),
	};
}

function pathParam(name: string, rule: Rule): PathParam {
	const coercion = coercionOf(rule);
	return { name, coercion, shape: isUuid(rule) ? UUID : coercion === "number" ? WHOLE : undefined };
}

function coercionOf(rule: Rule): Coercion {
	switch (rule.type) {
		case "number":
			return "number";
		case "boolean":
			return "boolean";
		case "array":
			return "list";
		default:
			return "text";
	}
}

const isUuid = (rule: Rule): boolean => rule.type === "text" && rule.format === "uuid";

const paramNames = (path: string): string[] => [...path.matchAll(/:([A-Za-z]\w*)/g)].map((match) => match[1] as string);

const place = (): Place => ({ words: new Map(), param: undefined, rows: new Map(), allow: "" });

function reach(root: Place, path: string): Place {
	let here = root;
	for (const word of path.slice(1).split("/")) {
		if (word.startsWith(":")) {
			here.param ??= place();
			here = here.param;
		} else {
			const next = here.words.get(word) ?? place();
			here.words.set(word, next);
			here = next;
		}
	}
	return here;
}

function finish(here: Place): void {
	if (here.rows.size > 0) {
		const methods = METHODS.filter((method) => here.rows.has(method)).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
		here.allow = [...methods, "OPTIONS"].join(", ");
	}
	for (const next of here.words.values()) finish(next);
	if (here.param) finish(here.param);
}
