import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import pg from "pg";
import { nodesWithMigrations } from "../../config/migrations.ts";
import { dumpSchemas, schemaDump } from "../../config/schema-dump.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";
import { servicesWith } from "../support/nodes.ts";

let database: FreshDatabase;
before(async () => {
	database = await freshDatabase();
});
after(() => database?.close());

for (const node of nodesWithMigrations()) {
	test(`services/${node}/schema.sql is what the migrations of ${node} leave (write it with: npm run migrate -- dump).`, async () => {
		const dumps = await dumpSchemas({ ownerUrl: database.ownerUrl, nodes: [node] });
		assert.equal(fs.readFileSync(path.resolve(import.meta.dirname, `../../services/${node}/schema.sql`), "utf8"), dumps.get(node));
	});
}

test("A dump shows types, columns, constraints, indexes, views, functions and triggers, and no partition.", async () => {
	const sql = `-- Up Migration
create type mood as enum ('glad', 'sad');
create domain short as text check (length(value) <= 10);
create table people (id uuid primary key, name short not null default 'x', mood mood, n bigint generated always as identity, big text generated always as (upper(name)) stored);
create table notes (id integer, at timestamptz not null, person uuid references people, text text collate "C", check (id > 0)) partition by range (at);
create table notes_2026 partition of notes for values from ('2026-01-01') to ('2027-01-01');
create table notes_rest partition of notes default;
create index notes_at on notes (at desc) where person is not null;
create view glad as select id from people where mood = 'glad';
create function one() returns integer language sql immutable return 1;
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touched before update on people for each row execute function touch();
-- Down Migration
`;
	const services = servicesWith({ gamma: { "0001_all": sql } });
	const fresh = await freshDatabase(["gamma"], services);
	const client = new pg.Client({ connectionString: fresh.ownerUrl });
	await client.connect();
	try {
		const dump = await schemaDump(client, "gamma");
		for (const expected of [
			"create type mood as enum ('glad', 'sad');",
			/create domain short as text CHECK/,
			"  name short not null default 'x'::text",
			"  n bigint not null generated always as identity",
			/big text generated always as \(upper\(.*\)\) stored/,
			'  text text collate "C"',
			"  constraint people_pkey PRIMARY KEY (id)",
			") partition by RANGE (at);",
			"-- partition notes_rest DEFAULT",
			/CREATE INDEX notes_at ON .*notes .* WHERE \(person IS NOT NULL\);/,
			/alter table notes add constraint \w+ FOREIGN KEY \(person\) REFERENCES people\(id\);/,
			"create view glad as",
			"CREATE OR REPLACE FUNCTION gamma.one()",
			/CREATE TRIGGER touched BEFORE UPDATE ON gamma\.people/,
		]) {
			if (typeof expected === "string") assert.ok(dump.includes(expected), `${expected}\n${dump}`);
			else assert.match(dump, expected);
		}
		assert.ok(!dump.includes("notes_2026") && !dump.includes("migrations ("));
		assert.equal(await schemaDump(client, "gamma"), dump);
	} finally {
		await client.end();
		await fresh.close();
		fs.rmSync(services, { recursive: true });
	}
});
