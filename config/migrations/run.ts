// Runs migrations of one node with node-pg-migrate, as the node's role: what a migration makes belongs to the node, and a
// migration cannot touch another's schema. Each runs in one transaction with its parts and its row in the list.
import pg from "pg";
import { makeJobsHome, makeJobsTables } from "../../mixins/jobs/schema.ts";
import { refusal } from "../refusal.ts";
import { EXTENSIONS } from "../roles.ts";
import { fileOf, readMigration } from "./files.ts";
import { makeExtensions } from "./home.ts";
import type { Progress, State, Target } from "./state.ts";

export type Direction = "up" | "down";

/** What SQL in the node's schema cannot make of a part: before its Up, outside of its transaction. Done again it does nothing. */
interface Groundwork {
	/** As whoever may make schemas, for the node's role if it has one. */
	asOwner(client: pg.Client, node: string, role: string | undefined): Promise<void>;
	asNode(client: pg.Client, node: string): Promise<void>;
}
const groundwork: Record<string, Groundwork> = {
	jobs: { asOwner: makeJobsHome, asNode: makeJobsTables },
};

/** Applies everything that is pending, or takes back what ran last. `tell` hears their names. */
export async function run(
	client: pg.Client,
	{ target, progress }: State<Target>,
	direction: Direction,
	tell: (name: string) => void,
): Promise<void> {
	const todo =
		direction === "up"
			? progress.filter(({ pending }) => pending.length > 0)
			: progress.filter(({ applied }) => applied.length > 0).slice(-1);
	// Read before anything runs: a file that is wrong stops all of it.
	const pending = todo.flatMap(({ track, pending }) => pending.map((name) => readMigration(fileOf(track.dir, name))));
	const extensions = new Set(pending.flatMap((migration) => migration.extensions));
	const ground = [...new Set(pending.flatMap(({ parts }) => parts))].flatMap((part) => groundwork[part] ?? []);
	if (direction === "up") {
		await makeExtensions(client, target.node, extensions);
		for (const { asOwner } of ground) await asOwner(client, target.node, target.login?.user);
	}
	for (const one of todo) for (const name of await runTrack(client, target, one, direction, ground)) tell(name);
}

async function runTrack(
	client: pg.Client,
	{ node, login }: Target,
	{ track }: Progress,
	direction: Direction,
	ground: Groundwork[],
): Promise<string[]> {
	// Loaded only here: a start with nothing to do does not pay for the runner.
	const { runner } = await import("node-pg-migrate");
	const complaints: string[] = [];
	const quiet = () => {};
	try {
		// A bound such as '2026-02-01' means the same everywhere.
		await client.query("set timezone to 'UTC'");
		if (login) await client.query(`set role ${pg.escapeIdentifier(login.user)}`);
		if (direction === "up") for (const { asNode } of ground) await asNode(client, node);
		const done = await runner({
			dbClient: client,
			dir: track.dir,
			migrationLoaderStrategies: [{ extensions: [".sql"], loader: async (files) => files.map(asActions) }],
			direction,
			migrationsTable: track.table,
			migrationsSchema: node,
			schema: [node, EXTENSIONS],
			...(direction === "down" && { count: 1 }),
			noLock: true,
			logger: { debug: quiet, info: quiet, warn: quiet, error: (line: string) => void complaints.push(line) },
		});
		return done.map(({ name }) => track.prefix + name);
	} catch (error) {
		await client.query("rollback").catch(quiet);
		throw refusal(`The migration of ${node} failed (${direction}): ${(error as Error).message}\n${complaints.join("\n")}`.trim(), error);
	} finally {
		await client.query("reset role").catch(quiet);
		await client.query("reset search_path").catch(quiet);
	}
}

interface Builder {
	sql(text: string): void;
}

function asActions(file: string) {
	const { up, down } = readMigration(file);
	return {
		id: file,
		filePaths: [file],
		actions: { up: (builder: Builder) => builder.sql(up), down: (builder: Builder) => builder.sql(down) },
	};
}
