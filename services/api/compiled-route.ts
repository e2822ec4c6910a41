// A row of the routes' table, checked against its action's contract and made ready to be answered: where each parameter comes from.
import type { Rule } from "../contracts/schema.ts";
import { isScope } from "../contracts/scopes.ts";
import type { LimitName, Method, Route } from "./route.ts";

/** What the check needs to know of an action. */
export interface PublishedAction {
	readonly params: Readonly<Record<string, Rule>>;
	readonly answer: Rule;
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
	/** What the action knows. */
	readonly params: ReadonlySet<string>;
}

export interface PathParam {
	readonly name: string;
	readonly coercion: Coercion;
	/** What a value must look like to name anything at all; others are 404. */
	readonly shape: RegExp | undefined;
}

export const METHODS: readonly string[] = ["GET", "POST", "PUT", "PATCH", "DELETE"] satisfies Method[];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const WHOLE = /^[0-9]{1,15}$/;

const FILE_HEAD = ["name", "type", "size", "parts"];

/** What is wrong with a row: one sentence per fault. */
export function faultsOf(row: Route, id: string, actions: ActionTable): string[] {
	const faults: string[] = [];
	if (!METHODS.includes(row.method)) faults.push(`${id}: there is no method ${row.method}.`);
	if (!row.path.startsWith("/") || row.path.endsWith("/")) faults.push(`${id}: a path begins with a slash and does not end with one.`);
	if (row.access !== "anyone" && row.access !== "signed-in" && !isScope(row.access ?? ""))
		faults.push(`${id} has no access rule: "anyone", "signed-in" or a scope of services/contracts/scopes.ts.`);
	const action = Object.hasOwn(actions, row.action) ? actions[row.action] : undefined;
	if (!action) return [...faults, `${id}: the action ${row.action} is in no contract.`];
	if (!action.published) faults.push(`${id}: the action ${row.action} is not marked published.`);
	const inPath = paramNames(row.path);
	if (new Set(inPath).size !== inPath.length) faults.push(`${id} names a parameter twice.`);
	for (const name of inPath) if (!Object.hasOwn(action.params, name)) faults.push(`${id}: :${name} is no parameter of ${row.action}.`);
	for (const name of [...(row.query ?? []), ...ofTheDoor(row)]) {
		if (!Object.hasOwn(action.params, name)) faults.push(`${id}: ${name} is no parameter of ${row.action}.`);
		if (inPath.includes(name)) faults.push(`${id}: ${name} comes from the path and from elsewhere.`);
	}
	if (row.location && row.status !== 201) faults.push(`${id}: only what answers 201 has a location.`);
	const answered = action.answer.type === "object" ? action.answer.props : {};
	for (const name of fieldNames(row.location ?? ""))
		if (!Object.hasOwn(answered, name)) faults.push(`${id}: {${name}} is no field of what ${row.action} answers.`);
	if (row.download && !actions[row.download]) faults.push(`${id}: the action ${row.download} is in no contract.`);
	if (row.download && !FILE_HEAD.every((name) => Object.hasOwn(answered, name)))
		faults.push(`${id}: what a download answers is ${FILE_HEAD.join(", ")}.`);
	for (const name of row.file ? [row.file.begin, row.file.piece, row.file.drop] : [])
		if (!actions[name]) faults.push(`${id}: the action ${name} is in no contract.`);
	if (row.body && row.method !== "DELETE") faults.push(`${id}: only DELETE is said to have a body; the others have one, or none.`);
	return faults;
}

/** Parameters that neither the path nor the query nor the fields of a body give. */
export const ofTheDoor = ({ fixed, cookie, raw, file }: Route): string[] => [
	...Object.keys(fixed ?? {}),
	...(cookie ? [cookie.param] : []),
	...(raw ? ["body", "headers"] : []),
	...(file ? ["staged", "parts"] : []),
];

export function compile(row: Route, id: string, action: PublishedAction): CompiledRoute {
	const hasBody = row.method === "POST" || row.method === "PUT" || row.method === "PATCH" || row.body === true;
	const pathParams = paramNames(row.path).map((name) => pathParam(name, action.params[name] as Rule));
	const given = new Set([...pathParams.map((param) => param.name), ...ofTheDoor(row)]);
	const fromQuery = hasBody ? [...(row.query ?? [])] : Object.keys(action.params).filter((name) => !given.has(name));
	const queryParams = new Map(fromQuery.map((name) => [name, coercionOf(action.params[name] as Rule)]));
	// The door's own: it takes it out again (chain.ts).
	if (row.session === "begin" || row.session === "renew") queryParams.set("cookie", "boolean");
	return {
		row,
		id,
		hasBody,
		status: row.redirect ? 302 : (row.status ?? 200),
		limit: row.limit ?? (row.method === "GET" ? "read" : "write"),
		pathParams,
		queryParams,
		givenParams: new Set([...given, ...(hasBody ? queryParams.keys() : [])]),
		params: new Set(Object.keys(action.params)),
	};
}

function pathParam(name: string, rule: Rule): PathParam {
	const coercion = coercionOf(rule);
	return { name, coercion, shape: shapeOf(rule, coercion) };
}

function shapeOf(rule: Rule, coercion: Coercion): RegExp | undefined {
	if (rule.type === "enum") return new RegExp(`^(?:${rule.values.map((value) => RegExp.escape(String(value))).join("|")})$`);
	return isUuid(rule) ? UUID : coercion === "number" ? WHOLE : undefined;
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

/** The fields of the answer that a location names. */
export const LOCATION_FIELD = /\{(\w+)\}/g;
const fieldNames = (location: string): string[] => [...location.matchAll(LOCATION_FIELD)].map((match) => match[1] as string);

const paramNames = (path: string): string[] => [...path.matchAll(/:([A-Za-z]\w*)/g)].map((match) => match[1] as string);
