/**
 * Brings the schemas of the nodes to what the code expects: role and schema per node, then the SQL files in
 * `services/<node>/migrations/` with node-pg-migrate. Runs at every start, so the case "nothing to do" costs two queries.
 */
import fs from "node:fs";
import path from "node:path";
import pg from "pg";
import { makeJobsHome, makeJobsTables } from "../mixins/jobs/schema.ts";
import { refusal } from "./refusal.ts";
import { closePublicSchema, derivedLogin, EXTENSIONS, fingerprint, type Login, makeRole } from "./roles.ts";

/** A node and where its migrations run. */
export interface Target {
	node: string;
	/** Connects as whoever may change this node's schema. Never through a transaction pooler. */
	url: string;
	/** The role to make for the node; absent where the operator gave the node a database and a login of its own. */
	login?: Login;
}

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

export interface NodeStatus {
	node: string;
	applied: string[];
	pending: string[];
}

const MIGRATIONS = "migrations";
const home = path.resolve(import.meta.dirname, "../services");
const mixins = path.resolve(import.meta.dirname, "../mixins");
/** The part that is a schema of its own, `<node>_jobs`: its owner must make it, and its tables are graphile-worker's. */
const JOBS = "jobs";
const fileName = /^(\d{4}_[a-z0-9_]+)\.sql$/;
/** One migration at a time in one database, whoever starts it. */
const LOCK = 7_315_330_018;

/** The nodes that have migrations, by name. */
export function nodesWithMigrations(servicesDir = home): string[] {
	const folders = fs.readdirSync(servicesDir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
	return folders
		.map(({ name }) => name)
		.filter((name) => fs.existsSync(path.join(servicesDir, name, "migrations")))
		.sort();
}

/**
 * Applies what is pending ("up"), or takes back the last migration of each node named ("down").
 * Answers the names that ran, as `node/0001_name`. Throws an Error naming the node and migration that failed.
 */
export async function migrateAll(options: MigrateOptions, direction: "up" | "down"): Promise<string[]> {
	const ran: string[] = [];
	for (const [url, targets] of byServer(options)) {
		await connected(url, async (client) => {
			const states = await look(client, targets, options.servicesDir ?? home);
			if (direction === "up" && states.every(({ ready, pending }) => ready && pending.length === 0)) return;
			await client.query("select pg_advisory_lock($1)", [LOCK]);
			// Another process may have done it all while we waited.
			const todo = await look(client, targets, options.servicesDir ?? home);
			if (todo.some(({ ready }) => !ready)) await makeRoles(client, todo);
			for (const state of todo) ran.push(...(await run(client, state, direction, options)));
		});
	}
	return ran;
}

/** What has run and what has not, node by node. */
export async function migrationStatus(options: MigrateOptions): Promise<NodeStatus[]> {
	const all: NodeStatus[] = [];
	for (const [url, targets] of byServer(options)) {
		await connected(url, async (client) => {
			for (const { target, applied, pending } of await look(client, targets, options.servicesDir ?? home)) {
				all.push({ node: target.node, applied, pending });
			}
		});
	}
	return all.sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** What this node's code expects and its schema lacks, asked as the node itself. */
export async function pendingOf(client: pg.Client, node: string, servicesDir = home): Promise<string[]> {
	const expected = filesOf(path.join(servicesDir, node, "migrations"));
	const { rows: found } = await client.query("select to_regclass($1) is not null as there", [`${pg.escapeIdentifier(node)}.${MIGRATIONS}`]);
	if (!found[0].there) return expected;
	const { rows } = await client.query<{ name: string }>(`select name from ${pg.escapeIdentifier(node)}.${MIGRATIONS}`);
	return expected.filter((name) => !rows.some((row) => row.name === name));
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

interface State {
	target: Target;
	dir: string;
	/** Role and schema are as they should be. */
	ready: boolean;
	applied: string[];
	pending: string[];
}

/** The state of all nodes of one server in two queries. */
async function look(client: pg.Client, targets: Target[], servicesDir: string): Promise<State[]> {
	const { rows: catalogue } = await client.query<{ node: string; schema: boolean; table: boolean; comment: string | null }>(
		`select t.node, n.oid is not null as schema, c.oid is not null as table, shobj_description(r.oid, 'pg_authid') as comment
       from unnest($1::text[], $2::text[]) as t (node, role)
       left join pg_namespace n on n.nspname = t.node
       left join pg_class c on c.relnamespace = n.oid and c.relname = '${MIGRATIONS}'
       left join pg_roles r on r.rolname = t.role`,
		[targets.map(({ node }) => node), targets.map(({ login }) => login?.user ?? null)],
	);
	const tables = catalogue
		.filter(({ table }) => table)
		.map(({ node }) => `select ${pg.escapeLiteral(node)} as node, id, name from ${pg.escapeIdentifier(node)}.${MIGRATIONS}`);
	const { rows: names } =
		tables.length > 0
			? await client.query<{ node: string; name: string }>(`${tables.join(" union all ")} order by node, id`)
			: { rows: [] };
	return targets.map((target) => {
		const dir = path.join(servicesDir, target.node, "migrations");
		const applied = names.filter(({ node }) => node === target.node).map(({ name }) => name);
		const row = catalogue.find(({ node }) => node === target.node);
		const role = !target.login || row?.comment === fingerprint(target.node, target.login);
		return { target, dir, ready: Boolean(row?.schema) && role, applied, pending: filesOf(dir).filter((name) => !applied.includes(name)) };
	});
}

function filesOf(dir: string): string[] {
	return fs
		.readdirSync(dir)
		.sort()
		.map((file) => {
			const name = fileName.exec(file)?.[1];
			if (!name) throw refusal(`${path.join(dir, file)} is no migration: their names look like 0001_what_it_does.sql.`);
			return name;
		});
}

/** Roles belong to the server, not to the database: two databases on one server may be migrated at once and collide. */
async function makeRoles(client: pg.Client, states: State[]): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		try {
			await client.query("begin");
			await closePublicSchema(client);
			for (const { target, ready } of states) {
				if (ready) continue;
				if (target.login) await makeRole(client, target.node, target.login);
				else await client.query(`create schema if not exists ${pg.escapeIdentifier(target.node)}`);
				if (!target.login)
					await client.query(
						`alter role current_user in database ${pg.escapeIdentifier(client.database ?? "")} set search_path to ${pg.escapeIdentifier(target.node)}, ${EXTENSIONS}`,
					);
			}
			await client.query("commit");
			return;
		} catch (error) {
			await client.query("rollback");
			const collided = /tuple concurrently updated|already exists|duplicate key/.test((error as Error).message);
			if (!collided || attempt === 10) throw error;
		}
	}
}

async function run(
	client: pg.Client,
	{ target, dir, applied, pending }: State,
	direction: "up" | "down",
	options: MigrateOptions,
): Promise<string[]> {
	const { node, login } = target;
	if (direction === "up" ? pending.length === 0 : applied.length === 0) return [];
	const files = direction === "up" ? pending.map((name) => path.join(dir, `${name}.sql`)) : [];
	for (const file of files) await makeExtensions(client, node, file);
	if (files.some((file) => headOf(file, "parts").includes(JOBS))) await makeJobsHome(client, node, login?.user);
	// Loaded only here: a start with nothing to do does not pay for the runner.
	const { runner } = await import("node-pg-migrate");
	const complaints: string[] = [];
	const quiet = () => {};
	try {
		// A bound such as '2026-02-01' means the same everywhere.
		await client.query("set timezone to 'UTC'");
		// As the node's role: what a migration makes belongs to the node, and a migration cannot touch another's schema.
		if (login) await client.query(`set role ${pg.escapeIdentifier(login.user)}`);
		for (const file of files) await makeParts(client, node, file);
		const done = await runner({
			dbClient: client,
			dir,
			direction,
			migrationsTable: MIGRATIONS,
			migrationsSchema: node,
			schema: [node, EXTENSIONS],
			...(direction === "down" && { count: 1 }),
			noLock: true,
			logger: { debug: quiet, info: quiet, warn: quiet, error: (line: string) => void complaints.push(line) },
		});
		for (const { name } of done) options.say?.(`${direction} ${node}/${name}`);
		return done.map(({ name }) => `${node}/${name}`);
	} catch (error) {
		await client.query("rollback").catch(quiet);
		throw refusal(`The migration of ${node} failed (${direction}): ${(error as Error).message}\n${complaints.join("\n")}`.trim(), error);
	} finally {
		await client.query("reset role").catch(quiet);
		await client.query("reset search_path").catch(quiet);
	}
}

/** What a comment at the head of a migration asks for, such as `-- extensions: pg_trgm, cube`. */
function headOf(file: string, word: "extensions" | "parts"): string[] {
	const [head = ""] = fs.readFileSync(file, "utf8").split("-- Up Migration");
	const [, list = ""] = new RegExp(`^-- ${word}:(.*)$`, "m").exec(head) ?? [];
	return list.split(/[\s,]+/).filter(Boolean);
}

/** `-- parts: facts, room-log`: tables that mixins need (mixins/<part>.sql), the same in every node. Made as the node. */
async function makeParts(client: pg.Client, node: string, file: string): Promise<void> {
	for (const name of headOf(file, "parts")) {
		if (name === JOBS) {
			await makeJobsTables(client, node);
			continue;
		}
		const part = path.join(mixins, `${name}.sql`);
		if (!fs.existsSync(part)) throw refusal(`${file} asks for the part ${name}, but there is no ${part}.`);
		await client.query(`set search_path to ${pg.escapeIdentifier(node)}, ${EXTENSIONS}`);
		await client.query(fs.readFileSync(part, "utf8"));
	}
}

/** `-- extensions: …` are made by the owner: a node's role may not. */
async function makeExtensions(client: pg.Client, node: string, file: string): Promise<void> {
	for (const name of headOf(file, "extensions")) {
		const command = `create extension if not exists ${pg.escapeIdentifier(name)} schema ${EXTENSIONS}`;
		await client.query(command).catch((cause) => {
			throw refusal(
				`${node} needs the extension ${name}, which could not be made (${cause.message}). Let a superuser run: ${command.replace(" schema", " cascade schema")};`,
				cause,
			);
		});
	}
}
