/**
 * The servers of a cluster, real ones, each on a free port with a data directory of its own, to be stopped, killed, paused,
 * wiped and started again where it was. Whatever is still running when this process ends is ended with it.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findProgram } from "../../config/programs.ts";
import type { Recipe } from "./server-recipes.ts";
import { mongo, nats, pgbouncer, postgres, redis, s3 } from "./server-recipes.ts";

export interface Server {
	/** As the variable of the platform wants it: NATS_URL, REDIS_URL, DATABASE_URL (the owner), MONGO_URL. */
	readonly url: string;
	readonly port: number;
	readonly dataDir: string;
	/** Of the process that runs now; another one after a restart. Throws while none runs. */
	readonly pid: number;
	readonly running: boolean;
	/** What it said, for the message of a test that failed. */
	log(): string;
	/** Ends it, by default as its operator would; resolved when the process is gone. Data and port stay. */
	stop(signal?: NodeJS.Signals): Promise<void>;
	/** Starts it where it was, with the data it had; resolved when it answers. */
	start(): Promise<void>;
	/** stop(signal), then start(). */
	restart(signal?: NodeJS.Signals): Promise<void>;
	/** Kills it, forgets all its data, and starts it anew. */
	wipe(): Promise<void>;
	/** Freezes it: connections stay open and nobody answers. */
	pause(): void;
	resume(): void;
}

/** NATS with JetStream. `config`: further lines of its configuration file (users, TLS, cluster). */
export const natsServer = (options: { config?: string; jetstream?: boolean } = {}): Promise<Server> => open(nats(options));
/** Redis that keeps what it was told over a restart. */
export const redisServer = (options: { password?: string } = {}): Promise<Server> => open(redis(options));
/** PostgreSQL as Debian packages it (15, with PostGIS); `url` is that of its superuser, with a password. */
export const postgresServer = (options: { settings?: Record<string, string | number> } = {}): Promise<Server> => open(postgres(options));
/** MongoDB as a replica set of one member, initiated. */
export const mongoServer = (): Promise<Server> => open(mongo());
/** An S3-compatible store without a bucket; `s3Of` says how it is spoken to. */
export const s3Server = (): Promise<Server> => open(s3());
/** A pooler in transaction mode in front of a PostgreSQL of `postgresServer`. */
export const pgBouncer = (behind: Server, options: { poolSize?: number } = {}): Promise<Server> => open(pgbouncer(behind.url, options));

/**
 * For `describe("…", { skip: needs("nats-server", "redis-server") }, …)`: false where this machine has these programs, else the
 * reason for skipping. In CI nothing is skipped: there it throws.
 */
export function needs(...programs: string[]): string | false {
	const missing = programs.filter((name) => !findProgram(name));
	if (missing.length === 0) return false;
	const reason = `not found on this machine: ${missing.join(", ")} (.ci/run installs what these tests need)`;
	if (process.env.CI === "true") throw new Error(reason);
	return reason;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;
const all = new Set<Running>();

/** Below the range from which systems take ports for outgoing connections: such a port stays ours between two starts. */
export async function unusedPort(): Promise<number> {
	for (;;) {
		const port = 20_000 + Math.floor(Math.random() * 12_000);
		const free = await new Promise<boolean>((resolve) => {
			const probe = net.createServer();
			probe.once("error", () => resolve(false));
			probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
		});
		if (free) return port;
	}
}

async function open(recipe: Recipe): Promise<Server> {
	for (let attempt = 1; ; attempt++) {
		const server = new Running(recipe, await unusedPort());
		try {
			await server.start();
			return server;
		} catch (error) {
			await server.discard();
			// Somebody else may have taken the port between our look and the server's bind.
			if (attempt === 3) throw error;
		}
	}
}

class Running implements Server {
	readonly port: number;
	readonly dataDir: string;
	readonly #home: string;
	readonly #recipe: Recipe;
	#child: ChildProcess | undefined;

	constructor(recipe: Recipe, port: number) {
		this.#recipe = recipe;
		this.port = port;
		this.#home = fs.mkdtempSync(path.join(os.tmpdir(), `reloop-${recipe.program}-`));
		this.dataDir = path.join(this.#home, "data");
		this.#makeDataDir();
		all.add(this);
	}

	get url(): string {
		return this.#recipe.url(this.port);
	}

	get running(): boolean {
		return this.#child !== undefined;
	}

	get pid(): number {
		if (!this.#child?.pid) throw new Error(`${this.#recipe.program} is not running.`);
		return this.#child.pid;
	}

	log(): string {
		const file = path.join(this.#home, "log");
		return fs.existsSync(file) ? fs.readFileSync(file, "utf8").slice(-4_000) : "";
	}

	async start(): Promise<void> {
		if (this.#child) return;
		const until = performance.now() + START_LIMIT_MS;
		const { program } = this.#recipe;
		await this.#recipe.prepare?.(this.dataDir, this.port);
		while (!(await this.#launch(until))) {
			// Children of a server that was killed may hold its memory, or its port, for a moment.
			if (performance.now() > until) throw new Error(`${program} did not start:\n${this.log()}`);
			await pause(50);
		}
		await this.#recipe.ready?.(this.port);
	}

	/** Whether the process came up and answers; false when it ended instead. */
	async #launch(until: number): Promise<boolean> {
		const { program, args, answers, identity } = this.#recipe;
		const file = findProgram(program);
		if (!file) throw new Error(`${program} was not found on this machine.`);
		const log = fs.openSync(path.join(this.#home, "log"), "a");
		const child = spawn(file, args(this.dataDir, this.port), {
			...identity?.(),
			cwd: this.dataDir,
			env: { PATH: process.env.PATH, LC_ALL: "C", HOME: this.#home },
			stdio: ["ignore", log, log],
		});
		fs.closeSync(log);
		// A test must be able to end while its servers run: they are ended then.
		child.unref();
		this.#child = child;
		child.once("exit", () => {
			if (this.#child === child) this.#child = undefined;
		});
		child.once("error", () => {
			if (this.#child === child) this.#child = undefined;
		});
		while (this.#child === child) {
			if (await answers(this.port)) return true;
			if (performance.now() > until) throw new Error(`${program} does not answer:\n${this.log()}`);
			await pause(20);
		}
		return false;
	}

	async stop(signal: NodeJS.Signals = this.#recipe.stopSignal ?? "SIGTERM"): Promise<void> {
		const child = this.#child;
		if (!child) return;
		const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
		// A frozen process hears nothing but SIGKILL.
		if (signal !== "SIGKILL") this.resume();
		child.kill(signal);
		const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
		child.ref();
		await ended;
		clearTimeout(late);
	}

	async restart(signal?: NodeJS.Signals): Promise<void> {
		await this.stop(signal);
		await this.start();
	}

	async wipe(): Promise<void> {
		await this.stop("SIGKILL");
		fs.rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
		this.#makeDataDir();
		await this.start();
	}

	pause(): void {
		for (const pid of this.#family()) signalled(pid, "SIGSTOP");
	}

	resume(): void {
		for (const pid of this.#family()) signalled(pid, "SIGCONT");
	}

	/** Stops it and removes everything it wrote. */
	async discard(): Promise<void> {
		await this.stop();
		all.delete(this);
		fs.rmSync(this.#home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
	}

	/** When this process ends at once, there is no time to wait for anybody. */
	abandon(): void {
		if (this.#child?.pid) for (const pid of this.#family()) signalled(pid, "SIGCONT");
		// To PostgreSQL it says: end at once, and take your children and your shared memory along.
		if (this.#child?.pid) signalled(this.#child.pid, this.#recipe.exitSignal ?? "SIGKILL");
		fs.rmSync(this.#home, { recursive: true, force: true });
	}

	/** The server and the processes it has forked, which PostgreSQL has one of for each connection. */
	#family(): number[] {
		const pid = this.#child?.pid;
		if (!pid) return [];
		return [pid, ...(this.#recipe.forks ? childrenOf(pid) : [])];
	}

	#makeDataDir(): void {
		fs.mkdirSync(this.dataDir, { mode: 0o700 });
		const who = this.#recipe.identity?.();
		if (!who) return;
		fs.chmodSync(this.#home, 0o755);
		fs.chownSync(this.dataDir, who.uid, who.gid);
	}
}

function signalled(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
	}
}

function childrenOf(parent: number): number[] {
	const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
	return pids.map(Number).filter((pid) => {
		try {
			const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
			return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
		} catch {
			return false;
		}
	});
}

// The event loop is empty: the tests are done, and nothing but their servers is left.
process.on("beforeExit", () => {
	for (const server of all) void server.discard().catch(() => {});
});
process.on("exit", () => {
	for (const server of all) server.abandon();
});
