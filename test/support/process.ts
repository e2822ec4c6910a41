// Reloop as its operators run it: a process of its own, that can be killed.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { startEmbedded } from "../../config/embedded-postgres.ts";
import { externalUrl, freshDatabase, TEST_SECRET_KEY } from "./database.ts";
import { testEnvironment } from "./environment.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** What a test that failed left running. */
const started = new Set<ChildProcess>();
after(() => {
	for (const child of started) child.kill("SIGKILL");
});

/** A process that is started again is where it was: tokens name their issuer by its address. */
const ports = new Map<string, string>();
async function portOf(dataDir: string): Promise<string> {
	const known = ports.get(dataDir);
	if (known) return known;
	const probe = createServer().listen(0, "127.0.0.1");
	await once(probe, "listening");
	const port = String((probe.address() as AddressInfo).port);
	probe.close();
	await once(probe, "close");
	ports.set(dataDir, port);
	return port;
}

export interface Running {
	url: string;
	pid: number;
	child: ChildProcess;
	/** Everything it printed so far. */
	output: () => string;
	/** Ends it; answers the exit code, or the signal that ended it. */
	end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Starts Node directly, as a start script would: killing it kills no npm in between. */
export async function startProcess(dataDir: string, environment: Record<string, string> = {}, root = ROOT): Promise<Running> {
	const child = spawn(process.execPath, ["--disable-proto=delete", "--import", "./config/preflight.js", "config/start.ts"], {
		cwd: root,
		env: {
			...testEnvironment(),
			HOME: process.env.HOME,
			DATA_DIR: dataDir,
			...databases.get(dataDir),
			PORT: await portOf(dataDir),
			RATE_LIMIT_FACTOR: "100000",
			LOG_LEVEL: "warn",
			...environment,
		},
		stdio: ["ignore", "pipe", "pipe"],
	});
	started.add(child);
	child.once("exit", () => started.delete(child));
	let output = "";
	const url = await new Promise<string>((resolve, reject) => {
		const hear = (chunk: Buffer) => {
			output += chunk;
			const ready = /Reloop is ready at (\S+)/.exec(output);
			if (ready?.[1]) resolve(ready[1]);
		};
		child.stdout?.on("data", hear);
		child.stderr?.on("data", hear);
		child.once("exit", (code, signal) => reject(new Error(`Reloop ended before it was ready (${code ?? signal}):\n${output}`)));
	});
	return {
		url,
		pid: child.pid as number,
		child,
		output: () => output,
		async end(signal = "SIGTERM") {
			if (child.exitCode !== null) return child.exitCode;
			if (child.signalCode !== null) return child.signalCode;
			const ended = once(child, "exit");
			child.kill(signal);
			const [code, by] = (await ended) as [number | null, NodeJS.Signals | null];
			return code ?? (by as NodeJS.Signals);
		},
	};
}

/** Where the database of a data directory is, when it is not in it. */
const databases = new Map<string, Record<string, string>>();

export interface DataDirectory {
	path: string;
	/** What a process needs to know to work in it; process.ts tells its own by itself. */
	environment: Record<string, string>;
	remove(): Promise<void>;
}

/** A data directory of one's own, removed at the end of the test; with RELOOP_TEST_DATABASE_URL also an empty database there. */
export async function dataDirectory(): Promise<DataDirectory> {
	const path = await mkdtemp(join(tmpdir(), "reloop-test-"));
	if (!externalUrl) {
		const remove = async () => {
			// After a kill -9 the embedded server lives on: it is adopted, and stopped by leaving it.
			await (await startEmbedded(path)).stop();
			await rm(path, { recursive: true, force: true });
		};
		return { path, environment: { DATA_DIR: path }, remove };
	}
	const fresh = await freshDatabase([]);
	// Roles belong to the server: one SECRET_KEY for all databases in it.
	const given = { DATABASE_URL: fresh.ownerUrl, SECRET_KEY: TEST_SECRET_KEY };
	databases.set(path, given);
	const remove = async () => {
		databases.delete(path);
		await fresh.close();
		await rm(path, { recursive: true, force: true });
	};
	return { path, environment: { DATA_DIR: path, ...given }, remove };
}
