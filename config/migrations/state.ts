// How far the schemas of nodes are: asked of the catalogue and of the lists each schema keeps of what has run.
import pg from "pg";
import { fingerprint } from "../roles.ts";
import type { Login } from "../roles.ts";
import { namesIn, tracksOf } from "./files.ts";
import type { Track } from "./files.ts";

/** A node and where its migrations run. */
export interface Target {
	node: string;
	/** Connects as whoever may change this node's schema. Never through a transaction pooler. */
	url: string;
	/** The role to make for the node; absent where the operator gave the node a database and a login of its own. */
	login?: Login;
}

/** How far one list of migrations is in a schema; names in order. */
export interface Progress {
	track: Track;
	applied: string[];
	pending: string[];
}

export interface State<T> {
	target: T;
	/** Role and schema are as they should be. */
	ready: boolean;
	progress: Progress[];
}

/** The names of a state's migrations, as they are told. */
export const told = ({ progress }: State<unknown>, which: "applied" | "pending"): string[] =>
	progress.flatMap((one) => one[which].map((name) => one.track.prefix + name));

interface Found {
	node: string;
	schema: boolean;
	tables: string[];
	comment: string | null;
}

/** The state of all nodes of one server in two queries. Whoever asks may read the nodes' lists. */
export async function look<T extends Pick<Target, "node" | "login">>(
	client: pg.Client,
	targets: T[],
	servicesDir?: string,
): Promise<State<T>[]> {
	const tracks = new Map(targets.map(({ node }) => [node, tracksOf(node, servicesDir)]));
	const { rows: catalogue } = await client.query<Found>(
		`select t.node, n.oid is not null as schema, shobj_description(r.oid, 'pg_authid') as comment,
			array(select c.relname::text from pg_class c where c.relnamespace = n.oid and c.relname = any($3)) as tables
		from unnest($1::text[], $2::text[]) as t (node, role)
		left join pg_namespace n on n.nspname = t.node
		left join pg_roles r on r.rolname = t.role`,
		[
			targets.map(({ node }) => node),
			targets.map(({ login }) => login?.user ?? null),
			[...new Set([...tracks.values()].flat().map(({ table }) => table))],
		],
	);
	const lists = catalogue.flatMap(({ node, tables }) =>
		tables.map(
			(table) =>
				`select ${pg.escapeLiteral(node)} as node, ${pg.escapeLiteral(table)} as table, id, name from ${pg.escapeIdentifier(node)}.${pg.escapeIdentifier(table)}`,
		),
	);
	const { rows: names } =
		lists.length > 0
			? await client.query<{ node: string; table: string; name: string }>(`${lists.join(" union all ")} order by node, "table", id`)
			: { rows: [] };
	return targets.map((target) => {
		const { node, login } = target;
		const found = catalogue.find((row) => row.node === node);
		const progress = (tracks.get(node) ?? []).map((track) => {
			const applied = names.filter((row) => row.node === node && row.table === track.table).map(({ name }) => name);
			return { track, applied, pending: namesIn(track.dir).filter((name) => !applied.includes(name)) };
		});
		return { target, ready: Boolean(found?.schema) && (!login || found?.comment === fingerprint(node, login)), progress };
	});
}
