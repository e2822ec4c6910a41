import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import pg from "pg";
import { type Embedded, type EmbeddedOptions, startEmbedded } from "../../config/embedded-postgres.ts";
import { completeInstall, locateServer } from "../../config/embedded-postgres/server.ts";
import { isAlive } from "../../config/lock-file.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-embedded-"));
fs.chmodSync(root, 0o755);
const running = new Set<Embedded>();
after(async () => {
	for (const server of running) await server.stop();
	fs.rmSync(root, { recursive: true });
});

let count = 0;
const newDirectory = () => path.join(root, `data-${++count}`);
const asRoot = process.getuid?.() === 0 ? false : "only root has to step down";

async function start(directory: string, options?: EmbeddedOptions): Promise<Embedded> {
	const server = await startEmbedded(directory, options);
	running.add(server);
	return server;
}

async function ask<R extends pg.QueryResultRow>(url: string, sql: string): Promise<R[]> {
	const client = new pg.Client({ connectionString: url });
	client.on("error", () => {});
	try {
		await client.connect();
		return (await client.query<R>(sql)).rows;
	} finally {
		await client.end().catch(() => {});
	}
}

async function gone(pid: number): Promise<void> {
	while (isAlive(pid) && (process.platform !== "linux" || fs.readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "")) {
		await new Promise((resolve) => setImmediate(resolve));
	}
}

test("A new directory becomes a database that answers, durable and behind a password.", async () => {
	const directory = newDirectory();
	const server = await start(directory);
	const [row] = await ask(
		server.ownerUrl,
		`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('full_page_writes') as pages,
			current_setting('server_encoding') as encoding, current_setting('listen_addresses') as addresses, lower('ÄÉ') as folded`,
	);
	assert.deepEqual(row, { fsync: "on", commit: "on", pages: "on", encoding: "UTF8", addresses: "127.0.0.1", folded: "äé" });
	assert.equal(fs.statSync(path.join(directory, "postgres.json")).mode & 0o777, 0o600);
	assert.equal(fs.readdirSync(directory).filter((name) => name.includes(".new")).length, 0);
	const wrong = Object.assign(new URL(server.ownerUrl), { password: "wrong" }).href;
	await assert.rejects(ask(wrong, "select 1"), { code: "28P01" });
	await server.stop();
	await gone(server.pid);
});

test("A second start finds what the first one wrote, on the same port.", async () => {
	const directory = newDirectory();
	const first = await start(directory);
	await ask(first.ownerUrl, "create table kept as select 1 as one");
	await first.stop();
	const second = await start(directory);
	assert.equal(second.ownerUrl, first.ownerUrl);
	assert.deepEqual(await ask(second.ownerUrl, "select one from kept"), [{ one: 1 }]);
	await second.stop();
});

test("After kill -9 of the process that started it, the living server is adopted, and stopped at the end.", async () => {
	const directory = newDirectory();
	const script = path.resolve(import.meta.dirname, "../support/embedded-child.ts");
	const child = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "inherit"] });
	const [line] = await once(child.stdout, "data");
	const { ownerUrl, pid } = JSON.parse(String(line)) as { ownerUrl: string; pid: number };
	await ask(ownerUrl, "create table kept as select 1 as one");
	child.kill("SIGKILL");
	await once(child, "exit");
	const adopted = await start(directory);
	assert.equal(adopted.pid, pid);
	assert.deepEqual(await ask(adopted.ownerUrl, "select one from kept"), [{ one: 1 }]);
	await adopted.stop();
	await gone(pid);
});

test("After kill -9 of the server itself its lock file is no obstacle, and nothing committed is lost.", async () => {
	const directory = newDirectory();
	const first = await start(directory);
	await ask(first.ownerUrl, "create table kept as select 1 as one");
	process.kill(first.pid, "SIGKILL");
	await gone(first.pid);
	assert.ok(fs.existsSync(path.join(directory, "postgres/postmaster.pid")));
	const second = await start(directory);
	assert.notEqual(second.pid, first.pid);
	assert.deepEqual(await ask(second.ownerUrl, "select one from kept"), [{ one: 1 }]);
	await second.stop();
	await first.stop();
});

test("A lock file whose process id belongs to somebody else by now is no obstacle.", async () => {
	const directory = newDirectory();
	const first = await start(directory);
	const lock = path.join(directory, "postgres/postmaster.pid");
	const text = fs.readFileSync(lock, "utf8");
	await first.stop();
	fs.writeFileSync(lock, text.replace(/^.*/, String(process.pid)));
	const { uid, gid } = fs.statSync(path.join(directory, "postgres"));
	fs.chownSync(lock, uid, gid);
	const second = await start(directory);
	assert.deepEqual(await ask(second.ownerUrl, "select 1 as one"), [{ one: 1 }]);
	await second.stop();
});

test("Two processes may share a directory: the last one to leave stops the server.", async () => {
	const directory = newDirectory();
	const [first, second] = await Promise.all([start(directory), start(directory)]);
	assert.equal(second.pid, first.pid);
	await first.stop();
	assert.deepEqual(await ask(second.ownerUrl, "select 1 as one"), [{ one: 1 }]);
	await second.stop();
	await assert.rejects(ask(second.ownerUrl, "select 1"));
});

test("A server that is killed while it is in use is started again, on the same port and with everything committed.", async () => {
	const directory = newDirectory();
	const { promise: revived, resolve } = Promise.withResolvers<string>();
	const server = await start(directory, { say: resolve });
	await ask(server.ownerUrl, "create table kept as select 1 as one");
	const first = server.pid;
	process.kill(first, "SIGKILL");
	assert.match(await revived, /started again/);
	assert.notEqual(server.pid, first);
	assert.deepEqual(await ask(server.ownerUrl, "select one from kept"), [{ one: 1 }]);
	await server.stop();
});

test("What a killed process left, with the very id that this one has, stands in nobody's way.", async () => {
	const directory = newDirectory();
	fs.mkdirSync(path.join(directory, "postgres.users"), { recursive: true });
	fs.writeFileSync(path.join(directory, "postgres.lock"), String(process.pid));
	fs.writeFileSync(path.join(directory, "postgres.users", `${process.pid}-1000`), "");
	const server = await start(directory);
	await server.stop();
	await gone(server.pid);
});

test("Two projects run side by side, and a port that was taken meanwhile is replaced by another.", async () => {
	const one = newDirectory();
	const first = await start(one);
	const other = await start(newDirectory());
	assert.notEqual(other.port, first.port);
	await first.stop();
	const thief = net.createServer().listen(first.port, "127.0.0.1");
	await once(thief, "listening");
	const again = await start(one);
	assert.notEqual(again.port, first.port);
	assert.deepEqual(await ask(again.ownerUrl, "select 1 as one"), [{ one: 1 }]);
	thief.close();
	await again.stop();
	await other.stop();
});

test("The directory of another major version is refused with a sentence, and left as it is.", async () => {
	const directory = newDirectory();
	const server = await start(directory);
	await server.stop();
	const version = path.join(directory, "postgres/PG_VERSION");
	fs.writeFileSync(version, "15\n");
	await assert.rejects(startEmbedded(directory), /made by PostgreSQL 15; this version of Reloop brings PostgreSQL \d+/);
	assert.equal(fs.readFileSync(version, "utf8"), "15\n");
});

test("A database whose password was lost is refused with a sentence.", async () => {
	const directory = newDirectory();
	const server = await start(directory);
	await server.stop();
	fs.rmSync(path.join(directory, "postgres.json"));
	await assert.rejects(startEmbedded(directory), /postgres\.json is missing/);
});

test("What cannot start says what the server said.", async () => {
	const directory = newDirectory();
	await assert.rejects(startEmbedded(directory, { settings: { shared_buffers: "nonsense" } }), /did not start.*FATAL.*shared_buffers/s);
});

test("Root alone may enter the data directory: the server's user is let in, and nobody else.", { skip: asRoot }, async () => {
	const directory = newDirectory();
	fs.mkdirSync(directory, { mode: 0o700 });
	const server = await start(directory);
	assert.equal(fs.statSync(directory).mode & 0o777, 0o710);
	await server.stop();
});

test("A project in a closed home: the database moves to a reachable place, which is said and remembered.", { skip: asRoot }, async () => {
	const home = path.join(root, "home");
	const directory = path.join(home, "project/.data");
	const shelter = path.join(root, "shelter");
	fs.mkdirSync(directory, { recursive: true });
	fs.mkdirSync(shelter);
	const open = await start(directory, { shelter });
	await ask(open.ownerUrl, "create table kept as select 1 as one");
	await open.stop();
	fs.chmodSync(home, 0o700);
	const said: string[] = [];
	const closed = await start(directory, { shelter, say: (sentence) => said.push(sentence) });
	assert.deepEqual(await ask(closed.ownerUrl, "select one from kept"), [{ one: 1 }]);
	assert.match(said.join("\n"), new RegExp(`the database is kept in ${shelter}/reloop-[0-9a-f]+/postgres`));
	await ask(closed.ownerUrl, "update kept set one = 2");
	await closed.stop();
	fs.chmodSync(home, 0o755);
	const later = await start(directory, { shelter });
	assert.deepEqual(await ask(later.ownerUrl, "select one from kept"), [{ one: 2 }]);
	await later.stop();
});

test("An install without scripts is completed: library links and x bits.", () => {
	const copy = path.join(root, "package/native");
	fs.mkdirSync(path.join(copy, "bin"), { recursive: true });
	fs.mkdirSync(path.join(copy, "lib"));
	fs.writeFileSync(path.join(copy, "lib/libx.so.1.2"), "");
	fs.writeFileSync(path.join(copy, "pg-symlinks.json"), '[{"source":"native/lib/libx.so.1.2","target":"native/lib/libx.so.1"}]');
	for (const name of ["initdb", "postgres", "pg_ctl"]) fs.writeFileSync(path.join(copy, "bin", name), "", { mode: 0o644 });
	completeInstall({ ...locateServer(), root: copy });
	assert.equal(fs.readlinkSync(path.join(copy, "lib/libx.so.1")), "libx.so.1.2");
	assert.equal(fs.statSync(path.join(copy, "bin/postgres")).mode & 0o555, 0o555);
	completeInstall({ ...locateServer(), root: copy });
});
