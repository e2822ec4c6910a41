// DATA_DIR/cluster.json: what of a cluster runs on this machine, for whoever wants to reach it; and how the next start, or an
// operator's tool, finds out whether it still does.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isAlive } from "../lock-file.ts";
import { commandOf } from "../embedded-postgres/postmaster.ts";
import { converse } from "./servers.ts";

export interface ServerRecord {
	/** The database's has no password: it is in postgres.json beside this file. */
	url: string;
	/** Null for a server that was named by its variable. */
	pid: number | null;
}

export interface ProcessRecord {
	name: string;
	node: string;
	index: number;
	/** Null while it does not run. */
	pid: number | null;
	port: number;
	url: string;
	state: string;
	startedAt: string;
	restarts: number;
}

export interface ClusterRecord {
	/** Of `npm run cluster` itself. */
	pid: number;
	url: string;
	startedAt: string;
	nats: ServerRecord;
	redis: ServerRecord;
	database: ServerRecord;
	processes: ProcessRecord[];
}

const fileOf = (dataDir: string): string => path.join(dataDir, "cluster.json");

/** Whole or not at all: a reader never sees half of it. */
export function writeRecord(dataDir: string, record: ClusterRecord): void {
	const file = fileOf(dataDir);
	fs.writeFileSync(`${file}.new`, `${JSON.stringify(record, null, "\t")}\n`, { mode: 0o600 });
	fs.renameSync(`${file}.new`, file);
}

export const removeRecord = (dataDir: string): void => fs.rmSync(fileOf(dataDir), { force: true });

function readRecord(dataDir: string): ClusterRecord | undefined {
	try {
		return JSON.parse(fs.readFileSync(fileOf(dataDir), "utf8")) as ClusterRecord;
	} catch {
		return undefined;
	}
}

const runs = (pid: number | null, word: string): pid is number =>
	pid !== null && pid !== process.pid && isAlive(pid) && (commandOf(pid) ?? word).includes(word);

/** The cluster that runs with this DATA_DIR at present. */
export function livingCluster(dataDir: string): ClusterRecord | undefined {
	const record = readRecord(dataDir);
	return record && runs(record.pid, "config/cluster") ? record : undefined;
}

/** Our own processes end by themselves when their cluster is gone; they get this long (ms). */
const LEAVE_MS = 15_000;

/** A cluster that was killed leaves its servers behind: they are ended before the next one starts. */
export async function clearAway(dataDir: string): Promise<void> {
	const record = readRecord(dataDir);
	if (!record) return;
	const left = record.processes.flatMap(({ pid }) => (runs(pid, "config/start.ts") ? [pid] : []));
	for (const until = Date.now() + LEAVE_MS; left.some((pid) => runs(pid, "config/start.ts")) && Date.now() < until; ) await pause(50);
	for (const pid of left) if (runs(pid, "config/start.ts")) process.kill(pid, "SIGKILL");
	if (record.nats.pid !== null && runs(record.nats.pid, path.join(dataDir, "nats.conf"))) process.kill(record.nats.pid, "SIGTERM");
	if (record.redis.pid !== null) {
		const { port, password } = new URL(record.redis.url);
		// Only the one we started knows this password.
		await converse(Number(port), `AUTH ${password}\r\nSHUTDOWN NOSAVE\r\n`, /-ERR|-WRONGPASS/).catch(() => {});
	}
	removeRecord(dataDir);
}
