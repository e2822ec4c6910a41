// How each server of a cluster is started, and how one sees that it answers: one recipe per server, for servers.ts.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findProgram } from "../../config/programs.ts";

export interface Identity {
	uid: number;
	gid: number;
}

export interface Recipe {
	program: string;
	url(port: number): string;
	args(dataDir: string, port: number): string[];
	/** Before each start: files that must be there. */
	prepare?(dataDir: string, port: number): void | Promise<void>;
	/** Whether it answers already. */
	answers(port: number): Promise<boolean>;
	/** After each start, once it answers. */
	ready?(port: number): Promise<void>;
	/** As whom it runs when we are root and it refuses to be. */
	identity?(): Identity | undefined;
	/** How its operator ends it; SIGTERM where nothing is said. */
	stopSignal?: NodeJS.Signals;
	/** How it is ended when nobody can wait for it; SIGKILL where nothing is said. */
	exitSignal?: NodeJS.Signals;
	/** It works in processes of its own. */
	forks?: boolean;
}

export function nats({ config = "", jetstream = true }: { config?: string; jetstream?: boolean } = {}): Recipe {
	const store = (dataDir: string) => (jetstream ? `jetstream { store_dir: ${JSON.stringify(dataDir)} }` : "");
	const file = (dataDir: string) => path.join(dataDir, "..", "nats.conf");
	return {
		program: "nats-server",
		url: (port) => `nats://127.0.0.1:${port}`,
		args: (dataDir) => ["-c", file(dataDir)],
		prepare: (dataDir, port) => fs.writeFileSync(file(dataDir), `host: 127.0.0.1\nport: ${port}\n${store(dataDir)}\n${config}\n`),
		// It greets before anybody has to log in or to speak TLS.
		answers: async (port) => (await exchange(port, "")).startsWith("INFO"),
	};
}

export function redis({ password }: { password?: string } = {}): Recipe {
	return {
		program: "redis-server",
		url: (port) => `redis://${password ? `:${password}@` : ""}127.0.0.1:${port}/0`,
		args: (dataDir, port) => [
			...["--port", String(port), "--bind", "127.0.0.1", "--dir", dataDir, "--save", "", "--appendonly", "yes"],
			...(password ? ["--requirepass", password] : []),
		],
		answers: async (port) => /^(\+PONG|-NOAUTH)/.test(await exchange(port, "PING\r\n")),
	};
}

const OWNER = "postgres";
const PASSWORD = "owner of a test server";

export function postgres({ settings = {} }: { settings?: Record<string, string | number> } = {}): Recipe {
	// What tests must survive is the death of processes, not of the machine: nothing is gained by waiting for its disk.
	const told = { fsync: "off", full_page_writes: "off", max_connections: 400, shared_buffers: "64MB", jit: "off", ...settings };
	const url = (port: number) => `postgres://${OWNER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`;
	return {
		program: "postgres",
		url,
		args: (dataDir, port) => [
			...["-D", dataDir, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
			...Object.entries(told).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
		],
		prepare(dataDir) {
			if (fs.existsSync(path.join(dataDir, "PG_VERSION"))) return;
			const secret = path.join(dataDir, "..", "password");
			fs.writeFileSync(secret, PASSWORD);
			const made = spawnSync(
				findProgram("initdb") ?? "initdb",
				["-D", dataDir, "-U", OWNER, "-A", "scram-sha-256", `--pwfile=${secret}`, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
				{ ...unprivileged(), cwd: dataDir, env: { PATH: process.env.PATH, LC_ALL: "C" }, encoding: "utf8" },
			);
			if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? ""}${made.stderr}`);
		},
		answers: connects,
		identity: unprivileged,
		stopSignal: "SIGINT",
		exitSignal: "SIGQUIT",
		forks: true,
		async ready(port) {
			// It listens a little before it lets anybody in.
			const { default: pg } = await import("pg");
			for (;;) {
				const client = new pg.Client({ connectionString: url(port) });
				client.on("error", () => {});
				try {
					await client.connect();
					return;
				} catch (error) {
					if ((error as { code?: string }).code !== "57P03") throw error;
					await pause(20);
				} finally {
					await client.end().catch(() => {});
				}
			}
		},
	};
}

export function pgbouncer(behind: string, { poolSize = 20 }: { poolSize?: number } = {}): Recipe {
	const { hostname, port: target, username, password } = new URL(behind);
	const file = (dataDir: string) => path.join(dataDir, "pgbouncer.ini");
	return {
		program: "pgbouncer",
		url: (port) => Object.assign(new URL(behind), { port: String(port) }).href,
		args: (dataDir) => [file(dataDir)],
		prepare(dataDir, port) {
			const users = path.join(dataDir, "users");
			fs.writeFileSync(users, `"${username}" "${decodeURIComponent(password)}"\n`);
			fs.writeFileSync(
				file(dataDir),
				`[databases]
* = host=${hostname} port=${target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 1000
auth_type = scram-sha-256
auth_file = ${users}
auth_user = ${username}
ignore_startup_parameters = extra_float_digits
`,
			);
		},
		answers: connects,
		identity: unprivileged,
		stopSignal: "SIGTERM",
	};
}

/** What we need of a driver that brings no types. */
interface MongoClient {
	db(name: string): { command(command: object): Promise<{ isWritablePrimary?: boolean }> };
	close(): Promise<void>;
}
interface MongoDriver {
	MongoClient: { connect(url: string, options: object): Promise<MongoClient> };
}

export function mongo(): Recipe {
	return {
		program: "mongod",
		url: (port) => `mongodb://127.0.0.1:${port}/reloop?replicaSet=rs0`,
		args: (dataDir, port) => [
			...["--dbpath", dataDir, "--port", String(port), "--bind_ip", "127.0.0.1", "--replSet", "rs0"],
			...["--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"],
		],
		answers: connects,
		async ready(port) {
			const { MongoClient } = createRequire(import.meta.url)("mongodb") as MongoDriver;
			const client = await MongoClient.connect(`mongodb://127.0.0.1:${port}/?directConnection=true`, { useUnifiedTopology: true });
			try {
				const admin = client.db("admin");
				await admin.command({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: `127.0.0.1:${port}` }] } }).catch((error) => {
					if ((error as { codeName?: string }).codeName !== "AlreadyInitialized") throw error;
				});
				while (!(await admin.command({ hello: 1 })).isWritablePrimary) await pause(50);
			} finally {
				await client.close();
			}
		},
	};
}

export const S3_ACCESS = "reloop";
export const S3_SECRET = "secret of a test store";

/** The Versity gateway: S3 over a folder, each bucket a folder in it. It holds every request against its signature. */
export function s3(): Recipe {
	return {
		program: "versitygw",
		url: (port) => `http://127.0.0.1:${port}`,
		args: (dataDir, port) => [
			...["--access", S3_ACCESS, "--secret", S3_SECRET, "--port", `127.0.0.1:${port}`, "--quiet"],
			...["posix", "--sidecar", path.join(dataDir, "..", "sidecar"), path.join(dataDir, "buckets")],
		],
		prepare(dataDir) {
			for (const folder of [path.join(dataDir, "..", "sidecar"), path.join(dataDir, "buckets")]) fs.mkdirSync(folder, { recursive: true });
		},
		answers: connects,
	};
}

/** PostgreSQL and its pooler refuse to be root: the user that its package made, or nobody's usual id. */
function unprivileged(): Identity | undefined {
	if (process.getuid?.() !== 0) return undefined;
	const line = fs
		.readFileSync("/etc/passwd", "utf8")
		.split("\n")
		.find((entry) => entry.startsWith("postgres:"));
	const [, , uid, gid] = line?.split(":") ?? [];
	return line ? { uid: Number(uid), gid: Number(gid) } : { uid: 65534, gid: 65534 };
}

/** What a server says to these words, or of itself; empty where it does not answer. */
function exchange(port: number, words: string): Promise<string> {
	return new Promise((resolve) => {
		const socket = net.connect(port, "127.0.0.1");
		socket.setTimeout(1_000, () => socket.destroy());
		socket.once("connect", () => words && socket.write(words));
		socket.once("data", (bytes) => {
			resolve(bytes.toString());
			socket.destroy();
		});
		socket.once("error", () => resolve(""));
		socket.once("close", () => resolve(""));
	});
}

function connects(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = net.connect(port, "127.0.0.1");
		socket.once("connect", () => {
			socket.destroy();
			resolve(true);
		});
		socket.once("error", () => resolve(false));
	});
}
