/**
 * A real PostgreSQL for whoever has installed none: the server binary comes with npm, the data lives in DATA_DIR.
 *
 * The server is spawned detached, so that Ctrl-C reaches Node alone and Node can finish its work before it stops the
 * database. The price: after kill -9 of Node the server lives on. The next start adopts it (same data directory, living
 * process, our password opens it); if it died too, PostgreSQL recovers from its log as after any crash.
 *
 * Several processes may use one DATA_DIR at once (`npm start` and `npm run migrate`): each is registered in
 * `postgres.users/`, and only the last one that leaves stops the server.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import {
	binary,
	completeInstall,
	copyWhole,
	type Identity,
	identityFor,
	letIn,
	locateServer,
	passable,
	reachable,
	type Server,
} from "./embedded-postgres/server.ts";
import { systemEnvironment } from "./env.ts";
import { isAlive, withLock } from "./lock-file.ts";
import { impossiblePid, isServerOf, readLockFile } from "./embedded-postgres/postmaster.ts";
import { refusal } from "./refusal.ts";

export interface Embedded {
	/** Connects as the superuser of this server, over TCP on 127.0.0.1. */
	ownerUrl: string;
	port: number;
	/** Process id of the postmaster; another one after the server was started again. */
	readonly pid: number;
	/** Stops the server (fast shutdown, everything is on disk) unless another living process uses the same DATA_DIR. */
	stop(): Promise<void>;
}

export interface EmbeddedOptions {
	/** Hears sentences for the operator: data copied elsewhere, port changed. */
	say?(sentence: string): void;
	/** Further server settings; tests turn fsync off and raise max_connections. */
	settings?: Record<string, string | number>;
	/** Where server and data go when the unprivileged user cannot reach the project. */
	shelter?: string;
}

/** What the server is told at each start, and why. Durability stays at its defaults: fsync and synchronous_commit are on. */
const settings: Record<string, string | number> = {
	listen_addresses: "127.0.0.1",
	unix_socket_directories: "", // a path of a project may be longer than a socket's name may be
	shared_buffers: "64MB", // a laptop runs this beside everything else
	max_connections: 100, // eight per node and process, one to listen, and some for tools
	superuser_reserved_connections: 3,
	jit: "off", // compiles for longer than our short statements run
	max_parallel_workers_per_gather: 0, // the machine's cores belong to Node; no statement of ours scans much
	io_method: "sync", // spares three reader processes
	wal_level: "minimal", // no replica hangs on this server
	max_wal_senders: 0,
	log_min_messages: "warning",
	log_checkpoints: "off",
	timezone: "UTC",
	log_timezone: "UTC",
};

const OWNER = "reloop";
const DATABASE = "postgres"; // initdb made it; a database of our own would cost each first start another 50 ms
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
const WATCH_MS = 500;

interface Memory {
	port: number;
	password: string;
	/** Where the data is when it could not stay in DATA_DIR. */
	data?: string;
}

/** Everything known about one server before it runs. */
interface Place {
	home: string;
	data: string;
	server: Server;
	identity: Identity | undefined;
	memory: Memory;
	/** The flags of this server's settings. */
	flags: string[];
}

/**
 * Starts, or adopts, the server of a DATA_DIR and answers when it accepts connections.
 * Throws an Error whose message is a sentence for the operator.
 */
export async function startEmbedded(dataDir: string, options: EmbeddedOptions = {}): Promise<Embedded> {
	fs.mkdirSync(dataDir, { recursive: true });
	const home = fs.realpathSync(dataDir);
	const lock = path.join(home, "postgres.lock");
	return withLock(lock, async () => {
		const place = settle(home, options);
		let pid = (await adopt(place)) ?? (await start(place));
		const ticket = register(home);
		const rest = keepAlive(
			() => isServerOf(pid, place.data),
			() =>
				withLock(lock, async () => {
					if (!tickets.has(ticket)) return;
					pid = (await adopt(place)) ?? (await start(place));
					options.say?.("PostgreSQL had ended and was started again.");
				}),
		);
		return {
			ownerUrl: ownerUrl(place.memory),
			port: place.memory.port,
			get pid() {
				return pid;
			},
			stop: () => {
				rest();
				return withLock(lock, () => leave(place, ticket));
			},
		};
	});
}

/** A server that was killed, by somebody or for want of memory, is started again; answers what ends the watch. */
function keepAlive(lives: () => boolean, revive: () => Promise<void>): () => void {
	let busy = false;
	const timer = setInterval(() => {
		if (busy || lives()) return;
		busy = true;
		revive()
			.catch(() => {}) // it is tried again at the next look
			.finally(() => {
				busy = false;
			});
	}, WATCH_MS);
	timer.unref();
	return () => clearInterval(timer);
}

/** Decides where server and data are and who runs them; copies what the unprivileged user cannot reach. */
function settle(home: string, { say = () => {}, shelter = "/var/lib", settings: more = {} }: EmbeddedOptions): Place {
	const memory = recall(home);
	let data = memory.data ?? path.join(home, "postgres");
	let server = locateServer();
	completeInstall(server);
	const identity = identityFor(data);
	if (identity) {
		if (!reachable(server.root, identity) || !reachable(path.join(server.root, "share"), identity)) {
			const copy = path.join(shelter, `reloop-server-${server.version}`);
			copyWhole(server.root, copy);
			say(
				`PostgreSQL refuses to run as root, and user ${identity.uid} cannot reach ${server.root}: the server runs from a copy in ${copy}.`,
			);
			server = { ...server, root: copy };
		}
		letIn(home, identity);
		if (!passable(path.dirname(data), identity)) {
			const refuge = path.join(shelter, `reloop-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`);
			const moved = path.join(refuge, "postgres");
			fs.mkdirSync(refuge, { recursive: true, mode: 0o755 });
			// A directory that is locked by a living server is not copied: that server is adopted where it is.
			if (fs.existsSync(data) && !readLockFile(data)) copyWhole(data, moved, identity);
			if (!fs.existsSync(data) || fs.existsSync(moved)) {
				say(`PostgreSQL refuses to run as root, and user ${identity.uid} cannot reach ${home}: the database is kept in ${moved}.`);
				data = moved;
				memory.data = data;
				remember(home, memory);
			}
		}
	} else {
		const owner = fs.statSync(data, { throwIfNoEntry: false })?.uid;
		if (owner !== undefined && process.getuid && owner !== process.getuid()) {
			throw refusal(
				`The database in ${data} belongs to user ${owner}; this process runs as user ${process.getuid()}. Start it as before, or move ${data} away to begin anew.`,
			);
		}
	}
	const flags = Object.entries({ ...settings, ...more }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
	return { home, data, server, identity, memory, flags };
}

function recall(home: string): Memory {
	const file = path.join(home, "postgres.json");
	if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8")) as Memory;
	if (fs.existsSync(path.join(home, "postgres", "PG_VERSION"))) {
		throw refusal(
			`${file} is missing: it holds the password of the database beside it. Restore it, or move ${path.join(home, "postgres")} away to begin anew.`,
		);
	}
	const memory = { port: 0, password: randomBytes(24).toString("base64url") };
	remember(home, memory);
	return memory;
}

function remember(home: string, memory: Memory): void {
	const file = path.join(home, "postgres.json");
	fs.writeFileSync(`${file}.new`, `${JSON.stringify(memory)}\n`, { mode: 0o600 });
	fs.renameSync(`${file}.new`, file);
}

function ownerUrl({ port, password }: Memory): string {
	return `postgres://${OWNER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/** Answers the process id of a living server of this data directory once it is ready; undefined where there is none. */
async function adopt(place: Place): Promise<number | undefined> {
	const until = Date.now() + START_LIMIT_MS;
	for (;;) {
		const lock = readLockFile(place.data);
		// A dead server's file is left to PostgreSQL, which also sees whether children of the dead one still hold its memory.
		if (!lock || !isAlive(lock.pid)) return undefined;
		if (!isServerOf(lock.pid, place.data)) {
			// The id was given to another process since. PostgreSQL would refuse to start; all else in the file stays for its checks.
			fs.writeFileSync(lock.file, lock.text.replace(/^.*/, String(impossiblePid)));
			return undefined;
		}
		if (lock.state === "ready") {
			if (lock.port !== place.memory.port) remember(place.home, Object.assign(place.memory, { port: lock.port }));
			await verify(place, lock.pid);
			return lock.pid;
		}
		if (Date.now() > until)
			throw refusal(`PostgreSQL in ${place.data} (process ${lock.pid}) has been ${lock.state} for more than a minute.`);
		await pause(5);
	}
}

/** A server that our password opens and that works in our directory is ours. */
async function verify({ memory, data }: Place, pid: number): Promise<void> {
	const client = new pg.Client({ connectionString: ownerUrl(memory), connectionTimeoutMillis: 10_000 });
	client.on("error", () => {});
	try {
		await client.connect();
		const { rows } = await client.query("show data_directory");
		if (fs.realpathSync(rows[0].data_directory) === data) return;
		throw new Error(`it works in ${rows[0].data_directory}`);
	} catch (cause) {
		throw refusal(
			`A server that is not ours runs in ${data} (process ${pid}): ${(cause as Error).message}. Stop it and start again.`,
			cause,
		);
	} finally {
		await client.end().catch(() => {});
	}
}

async function start(place: Place): Promise<number> {
	const made = path.join(place.data, "PG_VERSION");
	if (!fs.existsSync(made)) await create(place);
	const major = Number.parseInt(fs.readFileSync(made, "utf8"), 10);
	if (major !== place.server.major) {
		throw refusal(
			`The database in ${place.data} was made by PostgreSQL ${major}; this version of Reloop brings PostgreSQL ${place.server.major}, which cannot read it. ` +
				`Start the version of Reloop that made it, dump the data with pg_dump and load it here, or move ${place.data} away to begin anew.`,
		);
	}
	const until = Date.now() + START_LIMIT_MS;
	for (;;) {
		if (!(await isFree(place.memory.port))) remember(place.home, Object.assign(place.memory, { port: await freePort() }));
		const outcome = await launch(place, until);
		if (typeof outcome === "number") return outcome;
		// Taken between our look and its bind; or children of a server that was killed have not yet gone.
		const passing = /could not bind|could not create any TCP|still in use/.test(outcome);
		if (!passing || Date.now() > until)
			throw refusal(`PostgreSQL did not start in ${place.data}: ${outcome} (all of it in ${logFile(place)})`);
		await pause(50);
	}
}

/** initdb beside the final place, so that a start cut short leaves nothing that looks like a database. */
async function create({ home, data, server, identity, memory }: Place): Promise<void> {
	const parent = path.dirname(data);
	if (fs.existsSync(data) && fs.readdirSync(data).length > 0) throw refusal(`${data} is no database and not empty: move it away.`);
	for (const name of fs.readdirSync(parent)) if (name.startsWith("postgres.new-")) fs.rmSync(path.join(parent, name), { recursive: true });
	const fresh = path.join(parent, `postgres.new-${process.pid}`);
	const secret = path.join(parent, `postgres.new-${process.pid}.password`);
	fs.mkdirSync(fresh, { mode: 0o700 });
	fs.writeFileSync(secret, memory.password, { mode: 0o600 });
	if (identity) for (const at of [fresh, secret]) fs.chownSync(at, identity.uid, identity.gid);
	const log = fs.openSync(path.join(home, "postgres.log"), "a", 0o600);
	try {
		// The locale of the server itself: texts fold their case as Unicode says and sort alike on every machine.
		const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
		const flags = ["-D", fresh, "-U", OWNER, "--auth=scram-sha-256", `--pwfile=${secret}`, ...locale, "--no-instructions"];
		const child = spawn(binary(server.root, "initdb"), flags, {
			...identity,
			cwd: fresh,
			env: { ...systemEnvironment(), LC_ALL: "C" },
			stdio: ["ignore", log, log],
		});
		const code = await exit(child);
		if (code !== 0)
			throw refusal(`PostgreSQL could not make a database in ${data}: initdb ended with ${code}, see ${path.join(home, "postgres.log")}.`);
		fs.renameSync(fresh, data);
	} finally {
		fs.closeSync(log);
		fs.rmSync(secret, { force: true });
	}
}

/** Spawns the server: its process id once it is ready, or its last words when it ended. */
async function launch(place: Place, until: number): Promise<number | string> {
	const { data, server, identity, memory, flags } = place;
	const file = logFile(place);
	if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 10_000_000) fs.renameSync(file, `${file}.1`);
	const log = fs.openSync(file, "a", 0o600);
	const from = fs.fstatSync(log).size;
	const child = spawn(binary(server.root, "postgres"), ["-D", data, "-p", String(memory.port), ...flags], {
		...identity,
		cwd: data,
		env: { ...systemEnvironment(), LC_ALL: "C" },
		stdio: ["ignore", log, log],
		detached: true,
	});
	fs.closeSync(log);
	child.unref();
	let ended = false;
	exit(child).then(() => {
		ended = true;
	});
	while (!ended) {
		const lock = readLockFile(data);
		if (lock?.pid === child.pid && lock?.state === "ready") return lock.pid;
		if (Date.now() > until) {
			child.kill("SIGQUIT");
			return "it was not ready within a minute";
		}
		await pause(3);
	}
	const words = fs.readFileSync(file).subarray(from).toString().trim();
	return words.split("\n").findLast((line) => line.includes("FATAL")) ?? words.slice(-300);
}

function exit(child: ReturnType<typeof spawn>): Promise<number | string> {
	return new Promise((resolve) => {
		child.once("error", (error) => resolve(error.message));
		child.once("exit", (code, signal) => resolve(code ?? signal ?? 1));
	});
}

function logFile({ home }: Place): string {
	return path.join(home, "postgres.log");
}

/** The entries of this process in `postgres.users/` of whatever directory. */
const tickets = new Set<string>();
let count = 0;

function register(home: string): string {
	const folder = path.join(home, "postgres.users");
	fs.mkdirSync(folder, { recursive: true });
	const ticket = path.join(folder, `${process.pid}-${++count}`);
	fs.writeFileSync(ticket, "");
	tickets.add(ticket);
	return ticket;
}

/** An entry with our own process id may be that of a process before us, as containers give the same ids again. */
function isUsed(ticket: string): boolean {
	const pid = Number.parseInt(path.basename(ticket), 10);
	return pid === process.pid ? tickets.has(ticket) : isAlive(pid);
}

/** Stops the server when nobody else uses it. Entries of processes that were killed count for nobody. */
async function leave({ data, server }: Place, ticket: string): Promise<void> {
	if (!tickets.delete(ticket)) return;
	fs.rmSync(ticket, { force: true });
	const folder = path.dirname(ticket);
	for (const name of fs.readdirSync(folder)) {
		const other = path.join(folder, name);
		if (isUsed(other)) return;
		fs.rmSync(other, { force: true });
	}
	const lock = readLockFile(data);
	if (!lock || !isServerOf(lock.pid, data)) return;
	if (process.platform === "win32")
		await exit(spawn(binary(server.root, "pg_ctl"), ["stop", "-D", data, "-m", "fast"], { stdio: "ignore" }));
	else process.kill(lock.pid, "SIGINT"); // fast shutdown: sessions end, everything is written
	const until = Date.now() + STOP_LIMIT_MS;
	while (isServerOf(lock.pid, data)) {
		if (Date.now() > until) throw refusal(`PostgreSQL (process ${lock.pid}) did not stop within ${STOP_LIMIT_MS / 1000} s.`);
		await pause(5);
	}
}

function isFree(port: number): Promise<boolean> {
	if (!port) return Promise.resolve(false);
	return new Promise((resolve) => {
		const probe = net.createServer();
		probe.once("error", () => resolve(false));
		probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
	});
}

/** Below the range from which systems take ports for outgoing connections: such a port stays ours between two starts. */
export async function freePort(): Promise<number> {
	for (;;) {
		const port = 20_000 + (randomBytes(2).readUInt16BE() % 12_000);
		if (await isFree(port)) return port;
	}
}
