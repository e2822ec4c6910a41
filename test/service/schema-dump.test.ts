import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { migrateAll, nodesWithMigrations } from "../../config/migrations.ts";
import { dumpSchemas } from "../../config/schema-dump.ts";
import { type FreshDatabase, freshDatabase, TEST_SECRET_KEY } from "../support/database.ts";
import { servicesWith } from "../support/nodes.ts";

let database: FreshDatabase;
before(async () => {
	database = await freshDatabase();
});
after(() => database?.close());

/** A node's schema as it stands in the repository. */
function kept(node: string): string {
	const file = `services/${node}/schema.sql`;
	const place = path.resolve(import.meta.dirname, "../..", file);
	assert.ok(fs.existsSync(place), `${file} is not there: run \`npm run migrate -- dump\`.`);
	return fs.readFileSync(place, "utf8");
}

for (const node of nodesWithMigrations()) {
	test(`services/${node}/schema.sql is what the migrations of ${node} leave (write it with: npm run migrate -- dump).`, async () => {
		const dumps = await dumpSchemas({ ownerUrl: database.ownerUrl, nodes: [node] });
		assert.equal(kept(node), dumps.get(node));
	});
}

test("A node without its schema.sql is told what to type.", () => {
	assert.throws(() => kept("nowhere"), /^AssertionError.*: services\/nowhere\/schema\.sql is not there: run `npm run migrate -- dump`\.$/);
});

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
	const dumped = async () => (await dumpSchemas({ ownerUrl: fresh.ownerUrl, servicesDir: services })).get("gamma") ?? "";
	try {
		const dump = await dumped();
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
		assert.ok(!dump.includes("notes_2026") && !dump.includes("migrations (") && !dump.includes("outbox"));
		assert.equal(await dumped(), dump);
	} finally {
		await fresh.close();
		fs.rmSync(services, { recursive: true });
	}
});

test("A dump leaves out what mixins make in every schema, but not what a migration has made of it.", async () => {
	const services = servicesWith({
		gamma: {
			"0001_rooms": `-- parts: room-log
-- Up Migration
create table seats (room uuid primary key, taken integer not null);
-- Down Migration
drop table seats;
`,
			"0002_colour": `-- Up Migration
alter table room_events add column colour text;
create index room_events_colour on room_events (colour);
-- Down Migration
drop index room_events_colour;
alter table room_events drop column colour;
`,
		},
	});
	const fresh = await freshDatabase(["gamma"], services);
	try {
		const { ownerUrl } = fresh;
		const dumped = async () => (await dumpSchemas({ ownerUrl, servicesDir: services })).get("gamma") ?? "";
		const changed = await dumped();
		assert.match(changed, /^-- Besides: what every node has \(mixins\/migrations\), and the part room-log\.$/m);
		assert.match(changed, /create table room_events \([^;]*colour text/);
		assert.match(changed, /room_events_colour/);
		assert.doesNotMatch(changed, /room_events_client|outbox|inbox|idempotency|carrier/);
		await migrateAll({ ownerUrl, secretKey: TEST_SECRET_KEY, servicesDir: services }, "down");
		const own = await dumped();
		assert.match(own, /create table seats/);
		assert.doesNotMatch(own, /create table room_events/);
	} finally {
		await fresh.close();
		fs.rmSync(services, { recursive: true });
	}
});
