// The access matrix: every route asked by everybody, about what is theirs and what is not, and what it answered.
import { routes } from "../../../services/api/routes/index.ts";
import type { Route } from "../../../services/api/route.ts";
import { scopeNames, scopes } from "../../../services/contracts/scopes.ts";
import { socketEvents } from "../../../services/contracts/socket.ts";
import type { Person } from "../client.ts";
import { http } from "../client.ts";
import type { Caller } from "./callers.ts";
import { signIn } from "./callers.ts";
import type { Make, Values } from "./case.ts";
import { ENDS_SESSION } from "./case.ts";
import { cases } from "./index.ts";

export interface Row {
	route: Route;
	id: string;
	/** What it is about; "" where there is only one thing. */
	object: string;
	/** In the order of the callers; null where the question makes no sense. */
	statuses: (number | null)[];
}

export const idOf = ({ method, path }: Route): string => `${method} ${path}`;

const nothing: Make = () => ({});
const objectsOf = (id: string): [string, Make][] => {
	const given = Object.entries(cases[id] ?? {});
	return given.length > 0 ? given : [["any", nothing]];
};

async function ask(url: string, route: Route, values: Values, token: string | undefined): Promise<number> {
	const rest = new Map(Object.entries(values));
	const take = (name: string) => {
		const value = String(rest.get(name));
		rest.delete(name);
		return encodeURIComponent(value);
	};
	const path = route.path.replace(/:([A-Za-z]\w*)/g, (_, name: string) => take(name));
	const body = Object.fromEntries(rest);
	const withBody = route.method === "POST" || route.method === "PUT" || route.method === "PATCH" || route.body === true;
	const query = withBody || rest.size === 0 ? "" : `?${new URLSearchParams(body as Record<string, string>)}`;
	return (
		await http(url, `${path}${query}`, {
			method: route.method,
			token,
			...(withBody ? { body: body.form instanceof FormData ? body.form : body } : {}),
		})
	).status;
}

/** Asks a route about everything, as everybody. */
export async function rowsOf(url: string, route: Route, columns: readonly Caller[], other: Person): Promise<Row[]> {
	const id = idOf(route);
	const objects = objectsOf(id);
	const rows: Row[] = [];
	for (const [object, make] of objects) {
		const isLast = object === objects.at(-1)?.[0];
		const statuses: (number | null)[] = [];
		for (const { person, acts, client } of columns) {
			// Who has nothing of their own is asked about somebody else's alone.
			if (!acts && !isLast) {
				statuses.push(null);
				continue;
			}
			const me = (acts ? person : columns.find((column) => column.acts)?.person) as Person;
			statuses.push(await ask(url, route, await make(me, other, url), person?.accessToken));
			if (person && !client && ENDS_SESSION.has(id)) await signIn(url, person);
		}
		rows.push({ route, id, object: objects.length > 1 ? object : "", statuses });
	}
	return rows;
}

const table = (heading: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string =>
	[heading, heading.map(() => "---"), ...rows].map((cells) => `| ${cells.map((cell) => cell ?? "").join(" | ")} |`).join("\n");

const askersOf = (scope: string): string => {
	const paths = routes.filter(({ access, details }) => access === scope || details === scope).map((route) => `\`${idOf(route)}\``);
	const events = Object.entries(socketEvents).flatMap(([event, { access }]) => (access === scope ? [`socket \`${event}\``] : []));
	return [...paths, ...events].join("<br>");
};

/** The file. */
export function written(columns: readonly Caller[], rows: readonly Row[]): string {
	const names = columns.map(({ name }) => name);
	return `# Who may what

Generated: each status is what the route answered in the test. To write it anew:

    npm run test:one -- --test-update-snapshots test/service/access-matrix.test.ts

What a change of this file says is what the change of the code does; read it as such. \`anyone\` has no token. The roles are those of accounts with a
\`consumer\` profile, \`organization\` and \`employee\` are profiles of a \`user\`, \`mustChangePassword\` an admin in that state,
\`client\` a registered client with all scopes of an admin: what is for a person alone, or asks for a step-up, is refused to it. Where a route is about something, there is a line for each: \`own\` is
the caller's. 401 not signed in, 403 may not, 404 is not there for them.

## Scopes

${table(
	["scope", "opens", "carried by", "asked for by"],
	scopeNames.map((name) => [`\`${name}\``, scopes[name].means, scopes[name].of.join(", "), askersOf(name)]),
)}

## Routes

${table(
	["route", "access", "about", ...names],
	rows.map(({ route, id, object, statuses }) => [`\`${id}\``, route.access, object, ...statuses]),
)}

## Socket events

Nobody connects without a token, or with one that is only good for changing the password.

${table(
	["event", "access"],
	Object.entries(socketEvents).map(([event, { access }]) => [`\`${event}\``, access]),
)}
`;
}
