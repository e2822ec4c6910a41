import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import pg from "pg";
import { type MigrateOptions, migrateAll, migrationStatus } from "../../config/migrations.ts";
import { namesIn, nodesWithMigrations } from "../../config/migrations/files.ts";
import { dumpSchemas } from "../../config/schema-dump.ts";
import { type FreshDatabase, freshDatabase, TEST_SECRET_KEY } from "../support/database.ts";
import { servicesWith } from "../support/nodes.ts";

const nodes = {
	alpha: {
		"0001_things": `-- extensions: pg_trgm
-- Up Migration
create table things (id integer primary key, at date not null) ;
create table words (word text);
create index on words using gin (word gin_trgm_ops);
-- Down Migration
drop table things, words;
`,
	},
	beta: { "0001_secrets": "-- Up Migration\ncreate table secrets (word text);\n-- Down Migration\ndrop table secrets;\n" },
};

const services = servicesWith(nodes);
/** What every node has before its own first migration, as it is told of `node`. */
const mixins = namesIn(path.resolve(import.meta.dirname, "../../mixins/migrations")).map((name) => `mixins/${name}`);
const everyNodes = (node: string) => mixins.map((name) => `${node}/${name}`);
const all = [...everyNodes("alpha"), "alpha/0001_things", ...everyNodes("beta"), "beta/0001_secrets"];

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
	assert.deepEqual(await migrateAll({ ...options, say: (line) => said.push(line) }, "up"), all);
	assert.deepEqual(
		said,
		all.map((name) => `up ${name}`),
	);
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
		{ node: "alpha", applied: [...mixins, "0001_things"], pending: [] },
		{ node: "beta", applied: [...mixins, "0001_secrets"], pending: ["0002_more"] },
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
		assert.deepEqual(ran.flat().sort(), all.toSorted());
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
		assert.deepEqual(await migrateAll({ ...moved, nodes: ["alpha"] }, "up"), [...everyNodes("alpha"), "alpha/0001_things"]);
		assert.deepEqual(await migrateAll({ ...moved, nodes: ["alpha"] }, "up"), []);
	} finally {
		await elsewhere.close();
	}
});

test("Every node has what mixins need, without naming it, and goes down to nothing in single steps.", async () => {
	const bare = servicesWith({ gamma: { "0001_told": "-- Up Migration\ncreate table told ();\n-- Down Migration\ndrop table told;\n" } });
	try {
		const gamma = { ...options, servicesDir: bare };
		const steps = [...everyNodes("gamma"), "gamma/0001_told"];
		assert.deepEqual(await migrateAll(gamma, "up"), steps);
		for (const table of ["outbox", "inbox", "idempotency", "carrier_told", "carrier_heard"])
			assert.deepEqual(await as("gamma", `select count(*)::int as rows from ${table}`), [{ rows: 0 }]);
		for (const step of steps.toReversed()) assert.deepEqual(await migrateAll(gamma, "down"), [step]);
		assert.deepEqual(await migrateAll(gamma, "down"), []);
		assert.deepEqual(await migrationStatus(gamma), [{ node: "gamma", applied: [], pending: [...mixins, "0001_told"] }]);
		assert.deepEqual(await migrateAll(gamma, "up"), steps);
	} finally {
		fs.rmSync(bare, { recursive: true });
	}
});

test("A schema of a version that had these tables but kept no list of them goes on with what is in them.", async () => {
	const fresh = await freshDatabase(["beta"], services);
	const client = new pg.Client({ connectionString: fresh.urlFor("beta") });
	await client.connect();
	try {
		const beta = { ...options, ownerUrl: fresh.ownerUrl, nodes: ["beta"] };
		await client.query("drop table mixin_migrations");
		await client.query("insert into carrier_told values ('facts', 'then', 1)");
		await client.query(
			"insert into outbox (fact_id, type, version, aggregate, at, payload) values (gen_random_uuid(), 'x', 1, 'y', now(), '{}')",
		);
		assert.deepEqual((await migrationStatus(beta))[0]?.pending, mixins);
		assert.deepEqual(await migrateAll(beta, "up"), everyNodes("beta"));
		assert.deepEqual(await migrateAll(beta, "up"), []);
		const { rows } = await client.query(
			"select (select count(*)::int from outbox) as told, (select last_seq::int from carrier_told) as carried",
		);
		assert.deepEqual(rows, [{ told: 1, carried: 1 }]);
	} finally {
		await client.end();
		await fresh.close();
	}
});

test("A part that a migration names comes and goes with it; one that is none stops everything before it begins.", async () => {
	const migration = (part: string) => `-- parts: ${part}\n-- Up Migration\ncreate table seats ()\n-- Down Migration\ndrop table seats`;
	const parts = servicesWith({ delta: { "0001_seats": migration("room-log") }, epsilon: { "0001_seats": migration("facts") } });
	const there = "select to_regclass('seats') is not null as own, to_regclass('room_events') is not null as part";
	try {
		const delta = { ...options, servicesDir: parts, nodes: ["delta"] };
		await migrateAll(delta, "up");
		assert.deepEqual(await as("delta", there), [{ own: true, part: true }]);
		assert.deepEqual(await migrateAll(delta, "down"), ["delta/0001_seats"]);
		assert.deepEqual(await as("delta", there), [{ own: false, part: false }]);
		await assert.rejects(
			migrateAll({ ...delta, nodes: ["epsilon"] }, "up"),
			/0001_seats\.sql asks for the part facts\. The parts that a node may name are: .*room-log.*every node has without naming them/,
		);
		assert.deepEqual((await migrationStatus({ ...delta, nodes: ["epsilon"] }))[0]?.applied, []);
	} finally {
		fs.rmSync(parts, { recursive: true });
	}
});

test("A migration without its Down is refused.", async () => {
	const file = `${services}/beta/migrations/0002_one_way.sql`;
	fs.writeFileSync(file, "-- Up Migration\ncreate table there ();\n");
	await assert.rejects(migrateAll(options, "up"), /0002_one_way\.sql lacks a line: .*"-- Down Migration"/);
	fs.rmSync(file);
});

/** Everything in the schemas of a node (a part may have one of its own, `<node>_…`) besides the lists of migrations. */
const everything = `
	with homes as (select oid, nspname from pg_namespace where starts_with(nspname, $1))
	select format('schema %s', nspname) as thing from homes where nspname <> $1
	union all select format('%s %s', c.relkind, c.relname) from pg_class c
		where c.relnamespace in (select oid from homes) and c.relname !~ '^(mixin_)?migrations'
	union all select format('function %s', p.oid::regprocedure) from pg_proc p where p.pronamespace in (select oid from homes)
	union all select format('type %s', t.typname) from pg_type t where t.typnamespace in (select oid from homes) and t.typtype in ('e', 'd')
	order by thing`;

for (const node of nodesWithMigrations()) {
	test(`${node} goes down to an empty schema, and up again to what it was.`, async () => {
		const fresh = await freshDatabase([node]);
		const client = new pg.Client({ connectionString: fresh.ownerUrl });
		await client.connect();
		try {
			const real = { ownerUrl: fresh.ownerUrl, secretKey: TEST_SECRET_KEY, nodes: [node] };
			const [before] = await migrationStatus(real);
			const dump = await dumpSchemas(real);
			const things = async () => (await client.query(everything, [node])).rows;
			const all = await things();
			for (const name of before?.applied.toReversed() ?? []) assert.deepEqual(await migrateAll(real, "down"), [`${node}/${name}`]);
			assert.deepEqual(await things(), []);
			await migrateAll(real, "up");
			assert.deepEqual(await things(), all);
			assert.deepEqual(await dumpSchemas(real), dump);
			assert.deepEqual(await migrationStatus(real), [before]);
		} finally {
			await client.end();
			await fresh.close();
		}
	});
}
