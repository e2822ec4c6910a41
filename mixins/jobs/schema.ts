// The schema of a node's jobs: graphile-worker's own migrations, run with the node's (`-- parts: jobs`), as the node's role.
import pg from "pg";
import type { Pool } from "pg";
import { schemaOf } from "./queue.ts";

/** Makes the empty schema, for `role` if one is given: as whoever may make schemas. */
export async function makeJobsHome(client: pg.Client, node: string, role: string | undefined): Promise<void> {
	const schema = schemaOf(node);
	// Not `if not exists`: that wants the right to make one even where it is there.
	const { rows } = await client.query("select to_regnamespace($1) is not null as there", [schema]);
	if (!rows[0].there) await client.query(`create schema ${schema}${role ? ` authorization ${pg.escapeIdentifier(role)}` : ""}`);
}

/** Brings it to what the installed graphile-worker expects; does nothing where it is. As the node's role, outside a transaction. */
export async function makeJobsTables(client: pg.Client, node: string): Promise<void> {
	// Without this table it would make the schema itself, and a node's role may not.
	await client.query(
		`create table if not exists ${schemaOf(node)}.migrations (
			id int primary key, ts timestamptz default now() not null, breaking boolean not null default false
		)`,
	);
	const { Logger, runMigrations } = await import("graphile-worker");
	const connection = { query: client.query.bind(client), release: () => {} };
	// Of a pool it uses a connection, and looks whether somebody hears its errors.
	const pool = { connect: async () => connection, listeners: () => [() => {}] } as unknown as Pool;
	await runMigrations({ pgPool: pool, schema: `${node}_jobs`, logger: new Logger(() => () => {}) });
	// Who holds a job is asked every two seconds.
	await client.query(`create index if not exists reloop_held on ${schemaOf(node)}._private_jobs (id) where locked_at is not null`);
}
