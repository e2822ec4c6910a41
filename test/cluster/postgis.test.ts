// PostgreSQL with PostGIS as Debian packages it: a migration that needs the extension makes it, or says what a superuser has to run.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { migrateAll } from "../../config/migrations.ts";
import { derivedLogin } from "../../config/roles.ts";
import { TEST_SECRET_KEY } from "../support/database.ts";
import { servicesWith } from "../support/nodes.ts";
import type { Server } from "../support/servers.ts";
import { needs, postgresServer } from "../support/servers.ts";

const SQL = `-- extensions: postgis
-- Up Migration
create table places (name text primary key, at geography(point, 4326) not null);
create index on places using gist (at);
-- Down Migration
drop table places;
`;

async function ask(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
	const client = new pg.Client({ connectionString: url });
	await client.connect();
	try {
		let rows: Record<string, unknown>[] = [];
		for (const sql of statements) ({ rows } = await client.query(sql));
		return rows;
	} finally {
		await client.end();
	}
}

describe("a node that asks where things are", { skip: needs("postgres", "initdb"), timeout: 60_000 }, () => {
	let server: Server;
	let services: string;
	before(async () => {
		server = await postgresServer();
		services = servicesWith({ places: { "0001_places": SQL } });
	});
	after(async () => {
		fs.rmSync(services, { recursive: true });
		await server.stop();
	});
	const on = (database: string, login?: { user: string; password: string }) =>
		Object.assign(new URL(server.url), { pathname: `/${database}`, ...(login && { username: login.user, password: login.password }) }).href;
	const options = (ownerUrl: string) => ({ ownerUrl, secretKey: TEST_SECRET_KEY, servicesDir: services });
	const near = async (database: string) =>
		ask(
			on(database, derivedLogin("places", TEST_SECRET_KEY)),
			"insert into places values ('Seoul', 'point(126.978 37.566)'), ('Busan', 'point(129.075 35.18)')",
			"select name from places where ST_DWithin(at, 'point(127 37.5)', 20000)",
		);

	test("gets PostGIS from the migration, and finds what is near as itself", async () => {
		assert.equal((await migrateAll(options(server.url), "up")).at(-1), "places/0001_places");
		assert.deepEqual(await near("postgres"), [{ name: "Seoul" }]);
	});

	test("is told by the migration what a superuser has to run where the owner may not, and that is enough", async () => {
		await ask(server.url, "create role keeper login createrole password 'keeper'", "create database kept owner keeper");
		const ownerUrl = on("kept", { user: "keeper", password: "keeper" });
		const refused = await migrateAll(options(ownerUrl), "up").catch((error: Error) => error.message);
		assert.match(String(refused), /^places needs the extension postgis, which could not be made \(permission denied/);
		const [, command = ""] = /Let a superuser run: (.*);$/.exec(String(refused)) ?? [];
		await ask(on("kept"), command);
		assert.equal((await migrateAll(options(ownerUrl), "up")).at(-1), "places/0001_places");
		assert.deepEqual(await near("kept"), [{ name: "Seoul" }]);
	});
});
