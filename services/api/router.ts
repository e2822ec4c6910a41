// From the table of routes to the answer "which row is this": a mistake in the table stops the start, and rows are found by
// walking the path's words instead of trying patterns one after another.
import type { ActionTable, CompiledRoute, PublishedAction } from "./compiled-route.ts";
import { compile, faultsOf, METHODS } from "./compiled-route.ts";
import type { Route } from "./route.ts";

export type Found = { kind: "row"; route: CompiledRoute; values: string[] } | { kind: "wrong-method"; allow: string } | undefined;

export interface Router {
	readonly routes: readonly CompiledRoute[];
	/** `path` has no query and no trailing slash. A HEAD is found where a GET is. */
	find(method: string, path: string): Found;
	/** The value of Allow for a path; undefined where there is nothing. */
	allowed(path: string): string | undefined;
}

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
