/**
 * A database of its own for a test file, in well under a second: one embedded server per user of this machine (kept in
 * the temporary folder, stopped when the last test process leaves), one migrated template per state of the migrations,
 * one copy of it per call. RELOOP_TEST_DATABASE_URL (a superuser of a PostgreSQL that tests may fill) takes the place of
 * the embedded server: so the whole suite runs on PostgreSQL with PostGIS too.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { startEmbedded } from "../../config/embedded-postgres.ts";
import { isAlive, withLock } from "../../config/lock-file.ts";
import { migrateAll, nodesWithMigrations } from "../../config/migrations.ts";
import { derivedLogin } from "../../config/roles.ts";
import { closeDatabases, configureDatabases } from "../../mixins/postgres.ts";

/** SECRET_KEY of every test on the shared server: the roles and their passwords belong to the server, not to a database. */
export const TEST_SECRET_KEY = Buffer.alloc(32, 7).toString("base64");

export interface FreshDatabase {
	/** Connects as the owner; fit for DATABASE_URL of a whole process, together with SECRET_KEY = TEST_SECRET_KEY. */
	ownerUrl: string;
	/** Connects as the node's role. */
	urlFor(node: string): string;
	/** Drops the database and leaves the server. */
	close(): Promise<void>;
}

let count = 0;

/** The server given from outside, if one is. */
export const externalUrl = process.env.RELOOP_TEST_DATABASE_URL || undefined;

/** Where test databases are made. */
interface Server {
	ownerUrl: string;
	stop(): Promise<void>;
}

async function sharedServer(home: string): Promise<Server> {
	if (externalUrl) {
		fs.mkdirSync(home, { recursive: true });
		return { ownerUrl: externalUrl, stop: async () => {} };
	}
	// What tests must survive is the death of processes, not of the machine: nothing is gained by waiting for its disk.
	return startEmbedded(home, { settings: { fsync: "off", full_page_writes: "off", max_connections: 300 } });
}

let folder = os.tmpdir();

/** From here on databases of this process are on an embedded server in `where`, that no other process uses: it ends with the last of them. */
export function serverOfOwn(where: string): void {
	folder = where;
}

/** What is kept between test processes of one server: the embedded one itself, or the lock on the making of databases. */
function homeOf(): string {
	const which = externalUrl ? createHash("sha256").update(externalUrl).digest("hex").slice(0, 8) : (process.getuid?.() ?? "user");
	return path.join(folder, `reloop-test-postgres-${which}`);
}

const services = path.resolve(import.meta.dirname, "../../services");

/**
 * A database with the migrations of these nodes (default: of all), not connected to anything. `servicesDir` is for tests
 * that bring nodes of their own: a folder with `<node>/migrations/0001_name.sql`.
 */
export async function freshDatabase(nodes?: string[], servicesDir = services): Promise<FreshDatabase> {
	const home = homeOf();
	const server = await sharedServer(home);
	const name = `test_${process.pid}_${++count}`;
	try {
		await withLock(path.join(home, "template.lock"), () => make(server, name, nodes ?? nodesWithMigrations(servicesDir), servicesDir));
	} catch (error) {
		await server.stop();
		throw error;
	}
	return {
		ownerUrl: on(server, name),
		urlFor(node) {
			const { user, password } = derivedLogin(node, TEST_SECRET_KEY);
			const url = new URL(on(server, name));
			return Object.assign(url, { username: user, password }).href;
		},
		async close() {
			await asOwner(server, (client) => client.query(`drop database if exists ${name} with (force)`));
			await server.stop();
		},
	};
}

/** A migrated database that `database(node)` of this process is configured for. */
export async function testDatabase(nodes?: string[], servicesDir?: string): Promise<FreshDatabase> {
	const fresh = await freshDatabase(nodes, servicesDir);
	configureDatabases({ urlFor: fresh.urlFor, directUrlFor: fresh.urlFor });
	return {
		...fresh,
		async close() {
			await closeDatabases();
			await fresh.close();
		},
	};
}

async function make(server: Server, name: string, nodes: string[], servicesDir: string): Promise<void> {
	const template = `template_${stateOf(nodes, servicesDir)}`;
	await asOwner(server, async (client) => {
		const { rows } = await client.query<{ datname: string }>("select datname from pg_database where datname ~ '^(test|template)_'");
		const present = rows.map(({ datname }) => datname);
		for (const left of present) {
			const [, pid] = /^test_(\d+)_/.exec(left) ?? [];
			if (pid && !isAlive(Number(pid))) await client.query(`drop database if exists ${left} with (force)`);
		}
		if (!present.includes(template)) {
			const raw = `raw_${template}`;
			await client.query(`drop database if exists ${raw} with (force)`);
			await client.query(`create database ${raw} strategy file_copy`);
			await migrateAll({ ownerUrl: on(server, raw), secretKey: TEST_SECRET_KEY, nodes, servicesDir }, "up");
			await client.query(`alter database ${raw} rename to ${template}`);
			for (const old of present.filter((other) => other.startsWith("template_")).slice(0, -20))
				await client.query(`drop database if exists ${old}`);
		}
		await client.query(`create database ${name} template ${template} strategy file_copy`);
	});
}

/** Changes when a migration, or how roles are made, changes. */
function stateOf(nodes: string[], servicesDir: string): string {
	const hash = createHash("sha256");
	const read = (label: string, file: string) => hash.update(label).update(fs.readFileSync(file));
	read("roles", path.resolve(import.meta.dirname, "../../config/roles.ts"));
	const mixins = path.resolve(import.meta.dirname, "../../mixins");
	for (const part of fs.readdirSync(mixins, { encoding: "utf8", recursive: true }).sort())
		if (part.endsWith(".sql")) read(part, path.join(mixins, part));
	for (const node of [...nodes].sort()) {
		const dir = path.join(servicesDir, node, "migrations");
		for (const file of fs.readdirSync(dir).sort()) read(`${node}/${file}`, path.join(dir, file));
	}
	return hash.digest("hex").slice(0, 16);
}

function on(server: Server, name: string): string {
	return Object.assign(new URL(server.ownerUrl), { pathname: `/${name}` }).href;
}

async function asOwner(server: Server, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
	const client = new pg.Client({ connectionString: server.ownerUrl });
	client.on("error", () => {});
	await client.connect();
	try {
		await work(client);
	} finally {
		await client.end();
	}
}
