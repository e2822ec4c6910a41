import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import pg from "pg";
import { type MigrateOptions, migrateAll, migrationStatus } from "../../config/migrations.ts";
import { type FreshDatabase, freshDatabase, TEST_SECRET_KEY } from "../support/database.ts";
import { servicesWith } from "../support/nodes.ts";

const nodes = {
	alpha: {
		"0001_things": `-- extensions: pg_trgm
-- Up Migration
create table things (id integer primary key, at date not null) ;
create table outbox (id bigint generated always as identity, at timestamptz not null) partition by range (at);
create table words (word text);
create index on words using gin (word gin_trgm_ops);
-- Down Migration
drop table things, outbox, words;
`,
	},
	beta: { "0001_secrets": "-- Up Migration\ncreate table secrets (word text);\n-- Down Migration\ndrop table secrets;\n" },
};

const services = servicesWith(nodes);
let database: FreshDatabase;
let options: MigrateOptions;

before(async () => {
	database = await freshDatabase([]);
	options = { ownerUrl: database.ownerUrl, secretKey: TEST_SECRET_KEY, servicesDir: services };
});
after(async () => {
	await database?.close();
	fs.rmSync(services, { recursive: true });
});

/** Asks as a node; answers the rows, or the SQLSTATE of the refusal. */
async function as(node: string, sql: string): Promise<unknown> {
	const client = new pg.Client({ connectionString: database.urlFor(node) });
	await client.connect();
	try {
		return (await client.query(sql)).rows;
	} catch (error) {
		return (error as { code: string }).code;
	} finally {
		await client.end();
	}
}

const permissionDenied = "42501";

test("Up makes role and schema of every node and applies what is pending, once.", async () => {
	const said: string[] = [];
	assert.deepEqual(await migrateAll({ ...options, say: (line) => said.push(line) }, "up"), ["alpha/0001_things", "beta/0001_secrets"]);
	assert.deepEqual(said, ["up alpha/0001_things", "up beta/0001_secrets"]);
	assert.deepEqual(await migrateAll(options, "up"), []);
	assert.deepEqual(await as("beta", "select * from secrets"), []);
});

test("A node works in its own schema, also with tables that only run time knows.", async () => {
	assert.deepEqual(await as("alpha", "insert into things values (1, '2026-01-01') returning id"), [{ id: 1 }]);
	assert.deepEqual(
		await as("alpha", "create table outbox_2026_01 partition of outbox for values from ('2026-01-01') to ('2026-02-01')"),
		[],
	);
	assert.deepEqual(await as("alpha", "alter table outbox detach partition outbox_2026_01"), []);
	assert.deepEqual(await as("alpha", "select word % 'x' from words"), []);
});

test("A query into another node's schema fails by permission, whatever it tries.", async () => {
	for (const sql of [
		"select * from beta.secrets",
		"insert into beta.secrets values ('x')",
		"drop table beta.secrets",
		"create table beta.mine (id integer)",
		"set role beta",
		"alter role beta password 'x'",
		"create table public.shared (id integer)",
		"create table extensions.shared (id integer)",
		"create schema another",
	]) {
		assert.equal(await as("alpha", sql), permissionDenied, sql);
	}
});

test("Time limits and search path belong to the role, not to a session.", async () => {
	const sql = "select current_setting('search_path') as path, current_setting('statement_timeout') as most";
	assert.deepEqual(await as("alpha", sql), [{ path: "alpha, extensions", most: "30s" }]);
});

test("Status tells what has run and what has not; down takes back the last one of the node named.", async () => {
	servicesWith({ beta: { "0002_more": "-- Up Migration\ncreate table more ();\n-- Down Migration\ndrop table more;\n" } }, services);
	const before = await migrationStatus(options);
	assert.deepEqual(before, [
		{ node: "alpha", applied: ["0001_things"], pending: [] },
		{ node: "beta", applied: ["0001_secrets"], pending: ["0002_more"] },
	]);
	assert.deepEqual(await migrateAll(options, "up"), ["beta/0002_more"]);
	assert.deepEqual(await migrateAll({ ...options, nodes: ["beta"] }, "down"), ["beta/0002_more"]);
	assert.deepEqual(await migrationStatus(options), before);
	fs.rmSync(`${services}/beta/migrations/0002_more.sql`);
});

test("A migration that fails leaves nothing of itself, and names itself and its reason.", async () => {
	const file = `${services}/beta/migrations/0002_broken.sql`;
	fs.writeFileSync(file, "-- Up Migration\ncreate table half ();\nselect nonsense;\n-- Down Migration\ndrop table half;\n");
	await assert.rejects(
		migrateAll(options, "up"),
		(error: Error) => /beta failed \(up\)/.test(error.message) && error.message.includes("nonsense"),
	);
	fs.rmSync(file);
	assert.deepEqual(await as("beta", "select to_regclass('half') as half"), [{ half: null }]);
	assert.deepEqual(await migrateAll(options, "up"), []);
});

test("A migration cannot reach into another node's schema either.", async () => {
	const file = `${services}/beta/migrations/0002_reach.sql`;
	fs.writeFileSync(file, "-- Up Migration\ndrop table alpha.things;\n-- Down Migration\n");
	await assert.rejects(migrateAll(options, "up"), /permission denied for schema alpha/);
	fs.rmSync(file);
});

test("A file that is no migration is refused instead of overlooked.", async () => {
	const file = `${services}/beta/migrations/2_wrong-name.sql`;
	fs.writeFileSync(file, "");
	await assert.rejects(migrateAll(options, "up"), /2_wrong-name\.sql is no migration/);
	fs.rmSync(file);
});

test("Two processes that migrate at once do it once.", async () => {
	const fresh = await freshDatabase([]);
	try {
		const together = { ...options, ownerUrl: fresh.ownerUrl };
		const ran = await Promise.all([migrateAll(together, "up"), migrateAll(together, "up"), migrateAll(together, "up")]);
		assert.deepEqual(ran.flat().sort(), ["alpha/0001_things", "beta/0001_secrets"]);
	} finally {
		await fresh.close();
	}
});

test("A database that code of a later version has migrated is left alone.", async () => {
	const file = `${services}/beta/migrations/0002_later.sql`;
	fs.writeFileSync(file, "-- Up Migration\ncreate table later ();\n-- Down Migration\ndrop table later;\n");
	await migrateAll(options, "up");
	fs.rmSync(file);
	assert.deepEqual(await migrateAll(options, "up"), []);
});

test("A node with a server of its own is migrated there, as the user of its URL.", async () => {
	const elsewhere = await freshDatabase([]);
	try {
		const moved = { ...options, elsewhere: [{ node: "alpha", url: elsewhere.ownerUrl }] };
		assert.deepEqual(await migrateAll({ ...moved, nodes: ["alpha"] }, "up"), ["alpha/0001_things"]);
		assert.deepEqual(await migrateAll({ ...moved, nodes: ["alpha"] }, "up"), []);
	} finally {
		await elsewhere.close();
	}
});

test("A migration names the parts that mixins need, and the node owns them; a part that is none stops it by name.", async () => {
	const parts = servicesWith({
		gamma: {
			"0001_told":
				"-- parts: facts\n-- Up Migration\ncreate table told (id integer);\n-- Down Migration\ndrop table told, outbox, inbox;\ndrop function outbox_told();\n",
		},
		delta: { "0001_lost": "-- parts: nonsense\n-- Up Migration\ncreate table lost (id integer);\n-- Down Migration\ndrop table lost;\n" },
	});
	try {
		const gamma = { ...options, servicesDir: parts, nodes: ["gamma"] };
		assert.deepEqual(await migrateAll(gamma, "up"), ["gamma/0001_told"]);
		assert.deepEqual(await as("gamma", "select count(*)::int as facts from outbox"), [{ facts: 0 }]);
		assert.deepEqual(
			await as("gamma", "create table outbox_2026_02 partition of outbox for values from ('2026-02-01') to ('2026-03-01')"),
			[],
		);
		assert.deepEqual(await migrateAll(gamma, "down"), ["gamma/0001_told"]);
		assert.deepEqual(await migrateAll(gamma, "up"), ["gamma/0001_told"]);
		await assert.rejects(migrateAll({ ...gamma, nodes: ["delta"] }, "up"), /asks for the part nonsense/);
		assert.equal((await migrationStatus({ ...gamma, nodes: ["delta"] }))[0]?.applied.length, 0);
	} finally {
		fs.rmSync(parts, { recursive: true });
	}
});
