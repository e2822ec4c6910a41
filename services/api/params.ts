// From the texts of a path and a query to parameters. Each name comes from one place only: a query cannot reach what the
// body or the path gives, and a name that the row does not take from the query is refused.
import { problem } from "../contracts/errors.ts";
import type { Issue } from "../contracts/schema.ts";
import type { Params } from "./body.ts";
import type { Coercion, CompiledRoute } from "./compiled-route.ts";

const NUMBER = /^-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,15})?$/;
const MOST_PAIRS = 100;

/** What the path says. Throws 400 malformed where it cannot be decoded, 404 where it can name nothing. */
export function pathParams(route: CompiledRoute, values: readonly string[]): Params {
	const params: Params = {};
	for (let i = 0; i < route.pathParams.length; i++) {
		const { name, coercion, shape } = route.pathParams[i] as CompiledRoute["pathParams"][number];
		const text = decodeText(values[i] as string, "path");
		if (shape && !shape.test(text)) throw problem("not-found");
		params[name] = coerce(text, coercion);
	}
	return params;
}

/** Adds what the query says to `params`. Throws 400 malformed, 422 validation. `query` is without the question mark. */
export function queryParams(route: CompiledRoute, query: string, params: Params): void {
	const issues: Issue[] = [];
	const seen = new Set<string>();
	const pairs = query.split("&", MOST_PAIRS + 1);
	if (pairs.length > MOST_PAIRS) throw problem("malformed", { detail: `A query has at most ${MOST_PAIRS} parts.` });
	for (const pair of pairs) {
		if (pair === "") continue;
		const equals = pair.indexOf("=");
		const name = decodeText(plusToSpace(equals === -1 ? pair : pair.slice(0, equals)), "query");
		const value = decodeText(plusToSpace(equals === -1 ? "" : pair.slice(equals + 1)), "query");
		const coercion = route.queryParams.get(name);
		const path = name.slice(0, 100);
		if (coercion === undefined && route.row.loose) continue;
		if (coercion === undefined) issues.push({ path, code: "unknown", message: "is not a known field" });
		else if (coercion === "list") {
			const items = value === "" ? [] : value.split(",");
			params[name] = seen.has(name) ? [...(params[name] as string[]), ...items] : items;
		} else if (seen.has(name)) issues.push({ path, code: "unknown", message: "is there more than once" });
		else params[name] = coerce(value, coercion);
		seen.add(name);
	}
	if (issues.length > 0) throw problem("validation", { errors: issues.slice(0, 50) });
}

/** Adds the body's fields to `params`; a field that the path or the row gives is unknown in the body. Throws 422 validation. */
export function bodyParams(route: CompiledRoute, body: Params, params: Params): void {
	const issues: Issue[] = [];
	for (const name of Object.keys(body)) {
		if (route.givenParams.has(name)) issues.push({ path: name, code: "unknown", message: "is not a known field" });
		else params[name] = body[name];
	}
	if (issues.length > 0) throw problem("validation", { errors: issues });
}

function coerce(text: string, coercion: Coercion): unknown {
	if (coercion === "number") return NUMBER.test(text) ? Number(text) : text;
	if (coercion === "boolean") return text === "true" ? true : text === "false" ? false : text;
	return text;
}

function decodeText(text: string, where: "path" | "query"): string {
	if (!text.includes("%")) return text;
	try {
		return decodeURIComponent(text);
	} catch {
		throw problem("malformed", { detail: `The ${where} is not UTF-8 in percent encoding.` });
	}
}

const plusToSpace = (text: string): string => (text.includes("+") ? text.replaceAll("+", " ") : text);
