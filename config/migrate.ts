// `npm run migrate -- up | down [node] | status [--json] | dump`: exit code 0 only when all went well.
import fs from "node:fs";
import path from "node:path";
import { type Databases, openDatabases } from "./databases.ts";
import { type Env, readEnv } from "./env.ts";
import { migrateAll, migrationStatus, nodesWithMigrations } from "./migrations.ts";
import { refusal } from "./refusal.ts";
import { dumpSchemas } from "./schema-dump.ts";

const usage = `npm run migrate -- <command>

  up                 apply what is pending, in every node: the tables that mixins need (mixins/migrations), then the node's own
  down [node]        take back the last migration of a node (without a name: of every node)
  status [--json]    what has run and what has not
  dump               apply what is pending and write services/<node>/schema.sql of every node: its tables, without those of
                     mixins, as SQL from the migrated database (of DATABASE_URL or DATA_DIR; Reloop need not run).
                     Commit it with the migration: it shows what changed, and a test holds it against the migrations`;

type Command = (databases: Databases, words: string[]) => Promise<void>;

const commands: Record<string, Command> = {
	async up({ migrations }) {
		const ran = await migrateAll(migrations, "up");
		if (ran.length === 0) console.log("Nothing to do.");
	},
	async down({ migrations }, [node]) {
		const known = nodesWithMigrations();
		if (node && !known.includes(node)) throw refusal(`There is no node "${node}" with migrations. There are: ${known.join(", ")}.`);
		const ran = await migrateAll(node ? { ...migrations, nodes: [node] } : migrations, "down");
		if (ran.length === 0) console.log("Nothing to take back.");
	},
	async status({ migrations }, words) {
		const nodes = await migrationStatus(migrations);
		if (words.includes("--json")) console.log(JSON.stringify({ nodes }));
		else
			for (const { node, applied, pending } of nodes)
				console.log(`${node.padEnd(16)} ${applied.length} applied${pending.length > 0 ? `, pending: ${pending.join(", ")}` : ""}`);
	},
	async dump({ migrations }) {
		await migrateAll(migrations, "up");
		for (const [node, text] of await dumpSchemas(migrations))
			fs.writeFileSync(path.resolve(import.meta.dirname, `../services/${node}/schema.sql`), text);
	},
};

/** Runs one command; answers the exit code. */
async function migrate([name = "", ...words]: string[]): Promise<number> {
	const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
	if (!command) {
		console.error(usage);
		return 2;
	}
	let databases: Databases | undefined;
	try {
		const env: Env = readEnv();
		databases = await openDatabases(env, (line) => console.error(line));
		await command(databases, words);
		return 0;
	} catch (error) {
		console.error((error as Error).message);
		return 1;
	} finally {
		await databases?.stop();
	}
}

process.exitCode = await migrate(process.argv.slice(2));
