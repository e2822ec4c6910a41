/**
 * Brings the schemas of the nodes to what the code expects: role and schema per node, then the tables that mixins need in every
 * node (`mixins/migrations/`), then the node's own (`services/<node>/migrations/`), with node-pg-migrate. Runs at every start, so
 * the case "nothing to do" costs two queries.
 */
import pg from "pg";
import { nodesWithMigrations } from "./migrations/files.ts";
import { makeHomes } from "./migrations/home.ts";
import type { Direction } from "./migrations/run.ts";
import { run } from "./migrations/run.ts";
import type { Target } from "./migrations/state.ts";
import { look, told } from "./migrations/state.ts";
import { refusal } from "./refusal.ts";
import { derivedLogin } from "./roles.ts";

export { nodesWithMigrations } from "./migrations/files.ts";
export type { Target } from "./migrations/state.ts";

export interface MigrateOptions {
	/** Connects as a role that may create schemas, roles and extensions. */
	ownerUrl: string;
	/** SECRET_KEY as given: the nodes' passwords are derived from it. */
	secretKey: string;
	/** Default: every folder under services/ that has migrations. */
	nodes?: string[];
	/** Nodes whose database is elsewhere. */
	elsewhere?: Target[];
	/** Default: the services of this project. */
	servicesDir?: string;
	/** Hears one line per migration that runs. */
	say?(line: string): void;
}

/** `mixins/0001_name` is one of every node, `0001_name` the node's own. */
export interface NodeStatus {
	node: string;
	applied: string[];
	pending: string[];
}

/** One migration at a time in one database, whoever starts it. */
const LOCK = 7_315_330_018;

/**
 * Applies what is pending ("up"), or takes back the last migration of each node named ("down"): its own, last one first, then
 * those of the mixins. Answers the names that ran, as `node/0001_name`. Throws an Error naming the node and migration that failed.
 */
export async function migrateAll(options: MigrateOptions, direction: Direction): Promise<string[]> {
	const ran: string[] = [];
	for (const [url, targets] of byServer(options)) {
		await connected(url, async (client) => {
			const states = await look(client, targets, options.servicesDir);
			if (direction === "up" && states.every((state) => state.ready && told(state, "pending").length === 0)) return;
			await client.query("select pg_advisory_lock($1)", [LOCK]);
			// Another process may have done it all while we waited.
			const todo = await look(client, targets, options.servicesDir);
			if (todo.some(({ ready }) => !ready)) await makeHomes(client, todo);
			for (const state of todo) {
				await run(client, state, direction, (name) => {
					options.say?.(`${direction} ${state.target.node}/${name}`);
					ran.push(`${state.target.node}/${name}`);
				});
			}
		});
	}
	return ran;
}

/** What has run and what has not, node by node. */
export async function migrationStatus(options: MigrateOptions): Promise<NodeStatus[]> {
	const all: NodeStatus[] = [];
	for (const [url, targets] of byServer(options)) {
		await connected(url, async (client) => {
			for (const state of await look(client, targets, options.servicesDir))
				all.push({ node: state.target.node, applied: told(state, "applied"), pending: told(state, "pending") });
		});
	}
	return all.sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** What this node's code expects and its schema lacks, asked as the node itself. */
export async function pendingOf(client: pg.Client, node: string, servicesDir?: string): Promise<string[]> {
	const states = await look(client, [{ node }], servicesDir);
	return states.flatMap((state) => told(state, "pending"));
}

function byServer({ ownerUrl, secretKey, nodes, elsewhere = [], servicesDir }: MigrateOptions): Map<string, Target[]> {
	const known = nodesWithMigrations(servicesDir);
	const wanted = known.filter((node) => !nodes || nodes.includes(node));
	const targets = wanted.map(
		(node) => elsewhere.find((target) => target.node === node) ?? { node, url: ownerUrl, login: derivedLogin(node, secretKey) },
	);
	return Map.groupBy(targets, ({ url }) => url);
}

async function connected(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
	const client = new pg.Client({ connectionString: url, application_name: "reloop migrate", connectionTimeoutMillis: 10_000 });
	client.on("error", () => {});
	await client.connect().catch((cause: Error & { code?: string }) => {
		const { host, pathname } = new URL(url);
		throw refusal(`The database ${pathname.slice(1)} at ${host} does not let us in: ${cause.message || cause.code}.`, cause);
	});
	try {
		await work(client);
	} finally {
		await client.end().catch(() => {});
	}
}
