// The processes of a benchmark: the platform as its operators start it, the peers, the load generators. Each in a process
// of its own, so that none takes part in what it measures; each ended by its own process id.
import type { ChildProcess } from "node:child_process";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const LONGEST_STOP = 12_000;

export interface Child {
	url: string;
	pid: number;
	/** Milliseconds from the spawn to the line that says it is ready. */
	readyAfter: number;
	/** SIGTERM; resolved when the process is gone. */
	stop(): Promise<void>;
}

/** What a child's environment holds besides what the benchmark gives it: nothing that could change a figure. */
const environment = (more: Record<string, string>): NodeJS.ProcessEnv => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...more });

/** Node options for the platform's process, such as --cpu-prof, from BENCH_NODE_OPTIONS: for looking closer, never for figures. */
const nodeOptions = (): string[] => (process.env.BENCH_NODE_OPTIONS ?? "").split(" ").filter(Boolean);

async function stopped(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = once(child, "exit");
	child.kill("SIGTERM");
	const late = setTimeout(() => child.kill("SIGKILL"), LONGEST_STOP);
	await ended;
	clearTimeout(late);
}

async function start(args: string[], env: Record<string, string>): Promise<Child> {
	const began = performance.now();
	const child = spawn(process.execPath, args, { cwd: ROOT, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
	let output = "";
	const url = await new Promise<string>((resolve, reject) => {
		const hear = (chunk: Buffer) => {
			output = (output + chunk).slice(-10_000);
			const ready = / is ready at (\S+)/.exec(output);
			if (ready?.[1]) resolve(ready[1]);
		};
		child.stdout?.on("data", hear);
		child.stderr?.on("data", hear);
		// What it says later (a crash, a warning) is shown: a figure measured beside errors is no figure.
		child.stderr?.on("data", (chunk: Buffer) => process.stderr.write(chunk));
		child.once("exit", (code, signal) => reject(new Error(`${args.at(-1)} ended before it was ready (${code ?? signal}):\n${output}`)));
	});
	return { url, pid: child.pid as number, readyAfter: performance.now() - began, stop: () => stopped(child) };
}

/** The platform with every node, on a free port; without DATABASE_URL on an embedded PostgreSQL in `dataDir`. */
export function startPlatform(dataDir: string, env: Record<string, string> = {}): Promise<Child> {
	return start([...nodeOptions(), "--disable-proto=delete", "--import", "./config/preflight.js", "config/start.ts"], {
		DATA_DIR: dataDir,
		PORT: "0",
		RATE_LIMIT_FACTOR: "100000",
		LOG_LEVEL: "warn",
		...env,
	});
}

/** A peer: a file of bench/peers that prints `… is ready at <url>`. */
export const startPeer = (file: string, args: string[] = []): Promise<Child> => start([`bench/peers/${file}`, ...args], {});

export interface Load<Ask, Answer> {
	ask(message: Ask): Promise<Answer>;
	stop(): Promise<void>;
}

/** A load generator: a file of bench/load that calls `serve`. */
export function startLoad<Ask extends object, Answer>(file: string): Load<Ask, Answer> {
	const child = fork(join(ROOT, "bench/load", file), { cwd: ROOT, env: environment({}), stdio: ["ignore", "inherit", "inherit", "ipc"] });
	return {
		ask: (message) =>
			new Promise((resolve, reject) => {
				const ended = () => reject(new Error(`bench/load/${file} ended.`));
				child.once("exit", ended);
				child.once("message", (reply) => {
					child.off("exit", ended);
					const { error, answer } = reply as { error?: string; answer: Answer };
					if (error === undefined) resolve(answer);
					else reject(new Error(error));
				});
				child.send(message);
			}),
		stop: () => stopped(child),
	};
}

/** The generator's side: answers each message with what `work` makes of it. */
export function serve<Ask, Answer>(work: (message: Ask) => Promise<Answer>): void {
	process.on("message", (message) => {
		work(message as Ask).then(
			(answer) => process.send?.({ answer }),
			(error: unknown) => process.send?.({ error: String(error instanceof Error ? error.stack : error) }),
		);
	});
}

/** A directory for one benchmark's data, removed when `work` is done. */
export async function withDirectory<T>(work: (path: string) => Promise<T>): Promise<T> {
	const path = await mkdtemp(join(tmpdir(), "reloop-bench-"));
	// An embedded server does not run as root, and must reach a data directory inside; else it would keep its data elsewhere.
	await chmod(path, 0o711);
	try {
		return await work(path);
	} finally {
		await rm(path, { recursive: true, force: true });
	}
}

/** Resident memory of a process in MB (10^6 bytes); NaN where the system has no /proc. */
export async function residentMemory(pid: number): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
	return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6;
}

/** Processor seconds that a process has used since it began; NaN where the system has no /proc. */
export async function processorTime(pid: number): Promise<number> {
	const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	const ticksPerSecond = 100;
	return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
