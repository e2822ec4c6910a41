/**
 * A cluster as its operators run it, on this machine: real servers, one process per copy of a node. Processes can be killed,
 * frozen, started again where they were, and replaced as Kubernetes does it: the new one first, then SIGTERM to the old one.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { planFor } from "../../../config/cluster/plan.ts";
import { nodeFolders } from "../../../config/env.ts";
import { testEnvironment } from "../../support/environment.ts";
import { mongoServer, natsServer, postgresServer, redisServer, unusedPort } from "../../support/servers.ts";
import type { Server } from "../../support/servers.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const READY_LIMIT_MS = 60_000;

/** Which processes there are: the nodes of each, joined by a comma, and how many copies. */
export type Shape = Readonly<Record<string, number>>;

const NODES = nodeFolders();

/** As `npm run cluster` has it. */
export const WHOLE: Shape = Object.fromEntries(
	Map.groupBy(planFor({ NODES, PORT: 3000 }, undefined), ({ node }) => node)
		.entries()
		.map(([node, copies]) => [node, copies.length]),
);

/** All nodes but these, as a shape names one process: `{ [allBut("socket")]: 1, socket: 2 }`. */
export const allBut = (...apart: string[]): string => NODES.filter((node) => !apart.includes(node)).join(",");

export interface Servers {
	nats: Server;
	redis: Server;
	postgres: Server;
	mongo?: Server;
}

/** One process of the cluster, and its place: what is started again there has the same port. */
export class Member {
	readonly nodes: string[];
	readonly port: number;
	readonly url: string;
	/** Every process that ran here said this; for the message of a test that failed. */
	output = "";
	readonly #environment: Record<string, string>;
	#child: ChildProcess | undefined;

	constructor(nodes: string[], port: number, environment: Record<string, string>) {
		this.nodes = nodes;
		this.port = port;
		this.url = `http://127.0.0.1:${port}`;
		this.#environment = environment;
	}

	get name(): string {
		return `${this.nodes.join("+")}:${this.port}`;
	}

	get running(): boolean {
		return this.#child !== undefined;
	}

	get pid(): number {
		if (!this.#child?.pid) throw new Error(`${this.name} is not running.`);
		return this.#child.pid;
	}

	/** Resolved when it says that it is ready. */
	async start(): Promise<void> {
		const child = spawn(process.execPath, ["--disable-proto=delete", "--import", "./config/preflight.js", "config/start.ts"], {
			cwd: ROOT,
			env: { ...this.#environment, NODES: this.nodes.join(","), PORT: String(this.port), SOCKET_PORT: String(this.port) },
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.#child = child;
		living.add(child);
		child.once("exit", () => {
			living.delete(child);
			if (this.#child === child) this.#child = undefined;
		});
		await new Promise<void>((resolve, reject) => {
			let said = "";
			const hear = (chunk: Buffer) => {
				this.output = (this.output + chunk).slice(-200_000);
				if (said.length < 10_000) said += chunk;
				if (said.includes("Reloop is ready")) resolve();
			};
			child.stdout?.on("data", hear);
			child.stderr?.on("data", hear);
			const late = setTimeout(() => reject(new Error(`${this.name} is not ready after a minute:\n${said}`)), READY_LIMIT_MS);
			child.once("exit", (code, signal) => {
				clearTimeout(late);
				reject(new Error(`${this.name} ended before it was ready (${code ?? signal}):\n${said}`));
			});
			late.unref();
		});
	}

	/** Ends it; answers the exit code, or the signal that ended it. */
	async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | NodeJS.Signals> {
		const child = this.#child;
		if (!child) return 0;
		const ended = once(child, "exit");
		child.kill(signal);
		const [code, by] = (await ended) as [number | null, NodeJS.Signals | null];
		return code ?? (by as NodeJS.Signals);
	}

	/** Freezes it: it keeps its connections and answers nobody. */
	freeze(): void {
		this.#child?.kill("SIGSTOP");
	}

	thaw(): void {
		this.#child?.kill("SIGCONT");
	}
}

export class Cluster {
	readonly servers: Servers;
	readonly members: Member[] = [];
	/** What every process gets, besides its nodes and its port. */
	readonly environment: Readonly<Record<string, string>>;
	readonly #data: string;

	/** Starts servers (all at once), migrates, and starts the processes. */
	static async start(options: ClusterOptions = {}): Promise<Cluster> {
		const { shape = WHOLE, mongo = false, durable = false, environment = {}, nats: natsOptions = {} } = options;
		const [nats, redis, postgres, log] = await Promise.all([
			natsServer(natsOptions),
			redisServer(),
			postgresServer(durable ? { settings: { fsync: "on", full_page_writes: "on" } } : {}),
			mongo ? mongoServer() : undefined,
		]);
		const cluster = new Cluster({ nats, redis, postgres, ...(log ? { mongo: log } : {}) }, environment);
		await cluster.#migrate();
		try {
			await cluster.add(shape);
		} catch (error) {
			await cluster.stop();
			throw error;
		}
		return cluster;
	}

	private constructor(servers: Servers, environment: Record<string, string>) {
		this.servers = servers;
		this.#data = mkdtempSync(join(tmpdir(), "reloop-cluster-"));
		this.environment = {
			...testEnvironment(),
			HOST: "127.0.0.1",
			DATA_DIR: this.#data,
			// One folder on one machine.
			UPLOADS_SHARED: "true",
			SECRET_KEY: Buffer.alloc(32, 7).toString("base64"),
			PUBLIC_URL: "http://localhost:3000",
			RATE_LIMIT_FACTOR: "100000",
			LOG_LEVEL: "warn",
			NATS_URL: servers.nats.url,
			REDIS_URL: servers.redis.url,
			DATABASE_URL: servers.postgres.url,
			...(servers.mongo ? { MONGO_URL: servers.mongo.url } : {}),
			...environment,
		};
	}

	/** Starts more processes; resolved when all are ready. */
	async add(shape: Shape): Promise<Member[]> {
		const wanted = Object.entries(shape).flatMap(([nodes, copies]) => Array.from({ length: copies }, () => nodes.split(",")));
		return Promise.all(wanted.map((nodes) => this.#begin(nodes)));
	}

	/** Starts a process with other settings, beside the cluster: it is not one of its members. */
	async startAside(nodes: string[], environment: Record<string, string>): Promise<Member> {
		const member = new Member(nodes, await unusedPort(), { ...this.environment, ...environment });
		await member.start();
		return member;
	}

	async #begin(nodes: string[]): Promise<Member> {
		for (let attempt = 1; ; attempt++) {
			const member = new Member(nodes, await unusedPort(), this.environment);
			this.members.push(member);
			try {
				await member.start();
				return member;
			} catch (error) {
				this.members.splice(this.members.indexOf(member), 1);
				// Another test may have taken the port between our look and its use.
				if (attempt === 3 || !/is in use/.test((error as Error).message)) throw error;
			}
		}
	}

	/** The processes that run a node, whether they live or not. */
	of(node: string): Member[] {
		return this.members.filter(({ nodes }) => nodes.includes(node));
	}

	one(node: string, index = 0): Member {
		const member = this.of(node)[index];
		if (!member) throw new Error(`The cluster has no process ${index} of ${node}.`);
		return member;
	}

	/** Every name of a node that has a process of its own. */
	get nodes(): string[] {
		return [...new Set(this.members.flatMap(({ nodes }) => nodes))];
	}

	/** Where clients find a door: a list, as they are given it. It names processes that are down, too. */
	doors(node: "api" | "socket"): string[] {
		return this.of(node).map(({ url }) => url);
	}

	/** As a rolling update does it; answers how the old one ended. */
	async replace(old: Member): Promise<number | NodeJS.Signals> {
		const [fresh] = (await this.add({ [old.nodes.join(",")]: 1 })) as [Member];
		await ready(fresh);
		const ended = await old.end("SIGTERM");
		this.members.splice(this.members.indexOf(old), 1);
		return ended;
	}

	/** Everything the processes said lately, for the message of a test that failed. */
	output(): string {
		return this.members.map(({ name, output }) => `--- ${name}\n${output.slice(-3_000)}`).join("\n");
	}

	async stop(): Promise<void> {
		for (const member of this.members) member.thaw();
		await Promise.all(this.members.map((member) => member.end("SIGTERM")));
		await Promise.all(Object.values(this.servers).map((server: Server) => server.stop()));
		rmSync(this.#data, { recursive: true, force: true });
	}

	async #migrate(): Promise<void> {
		const child = spawn(process.execPath, ["--disable-proto=delete", "--import", "./config/preflight.js", "config/migrate.ts", "up"], {
			cwd: ROOT,
			env: this.environment,
			stdio: ["ignore", "pipe", "pipe"],
		});
		let said = "";
		for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk));
		const [code] = (await once(child, "exit")) as [number | null];
		if (code !== 0) throw new Error(`The migration failed:\n${said}`);
	}
}

export interface ClusterOptions {
	shape?: Shape;
	/** The message log on MongoDB. */
	mongo?: boolean;
	/** PostgreSQL waits for the disk: for benchmarks. */
	durable?: boolean;
	environment?: Record<string, string>;
	/** Further lines of the NATS server's configuration. */
	nats?: { config?: string };
}

/** Resolved when the process itself says that it should get requests. */
export async function ready(member: Member, limitMs = 30_000): Promise<void> {
	const until = performance.now() + limitMs;
	for (;;) {
		const answer = await fetch(`${member.url}/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
		if (answer?.ok) return void (await answer.arrayBuffer());
		if (performance.now() > until) throw new Error(`${member.name} is not ready: ${(await answer?.text()) ?? "no answer"}`);
		await pause(50);
	}
}

/** What a test that failed, or ended at once, left running. */
const living = new Set<ChildProcess>();
process.on("exit", () => {
	for (const child of living) child.kill("SIGKILL");
});
