// A node's schema as text, from the catalogue of a migrated database: stable, so that a migration's whole effect shows in the diff.
// What mixins make in every schema alike is left out, as long as it is there as they made it. (pg_dump would do the first half, but
// the embedded server comes without.)
import pg from "pg";
import { mixinsSql, nodesWithMigrations, partsOf } from "./migrations/files.ts";
import type { MigrateOptions } from "./migrations.ts";
import { catalogue } from "./schema-dump/catalogue.ts";

/** The dump of each node that has migrations. The database must have been migrated; nothing is changed in it. */
export async function dumpSchemas({
	ownerUrl,
	servicesDir,
	nodes = nodesWithMigrations(servicesDir),
}: Pick<MigrateOptions, "ownerUrl" | "nodes" | "servicesDir">): Promise<Map<string, string>> {
	const client = new pg.Client({ connectionString: ownerUrl });
	client.on("error", () => {});
	await client.connect();
	try {
		const known = await mixinsObjects(client);
		const dumps = new Map<string, string>();
		for (const node of nodes) dumps.set(node, asText(node, partsOf(node, servicesDir), await objectsOf(client, node), known));
		return dumps;
	} finally {
		await client.end();
	}
}

/** The objects of a schema as SQL, by kind in the catalogue's order. Without the lists of migrations, and partitions: running code makes them. */
async function objectsOf(client: pg.Client, schema: string): Promise<string[][]> {
	await client.query(`set search_path to ${pg.escapeIdentifier(schema)}, extensions`);
	const kinds: string[][] = [];
	for (const { sql } of catalogue) kinds.push((await client.query<{ text: string }>(sql, [schema])).rows.map(({ text }) => text));
	await client.query("reset search_path");
	return kinds;
}

const SCRATCH = "reloop_mixins";
const bare = (text: string, schema: string): string => text.replaceAll(`${pg.escapeIdentifier(schema)}.`, "").replaceAll(`${schema}.`, "");

/** Everything mixins make: made in a schema of its own, looked at, and rolled back. */
async function mixinsObjects(client: pg.Client): Promise<Set<string>> {
	await client.query("begin");
	try {
		await client.query(`create schema ${SCRATCH}`);
		await client.query(`set search_path to ${SCRATCH}, extensions`);
		await client.query(mixinsSql());
		return new Set((await objectsOf(client, SCRATCH)).flat().map((text) => bare(text, SCRATCH)));
	} finally {
		await client.query("rollback");
	}
}

function asText(node: string, parts: string[], kinds: string[][], known: Set<string>): string {
	const own = kinds.map((texts, kind) => texts.filter((text) => !known.has(bare(text, node))).join(catalogue[kind]?.between));
	const named = parts.length > 0 ? `, and the ${parts.length > 1 ? "parts" : "part"} ${parts.join(", ")}` : "";
	return `${[
		`-- The schema of ${node} as its migrations leave it. Written by: npm run migrate -- dump\n-- Besides: what every node has (mixins/migrations)${named}.`,
		...own.filter(Boolean),
	].join("\n\n")}\n`;
}
