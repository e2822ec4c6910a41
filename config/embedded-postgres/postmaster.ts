/**
 * Reads the lock file of a PostgreSQL server (postmaster.pid) and tells whether the process it names is that server.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { isAlive } from "../lock-file.ts";

export interface LockFile {
	file: string;
	text: string;
	pid: number;
	port: number;
	/** starting, ready, stopping … as the server wrote it; empty while it has not got that far. */
	state: string;
}

/** No system gives this process id: it stands for "whoever wrote this is gone". */
export const impossiblePid = 2 ** 31 - 1;

export function readLockFile(data: string): LockFile | undefined {
	const file = path.join(data, "postmaster.pid");
	try {
		const text = fs.readFileSync(file, "utf8");
		const [pid, , , port, , , , state] = text.split("\n");
		return { file, text, pid: Number(pid), port: Number(port), state: (state ?? "").trim() };
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
		throw error;
	}
}

/** A process id may have been given away since: the process must be a postgres that was started with this directory. */
export function isServerOf(pid: number, data: string): boolean {
	if (!pid || !isAlive(pid)) return false;
	const command = commandOf(pid);
	return command === undefined || (command.includes("postgres") && command.includes(data));
}

/** The command line of a process, empty for one that is gone or only waits to be reaped; undefined where none can be read. */
export function commandOf(pid: number): string | undefined {
	if (process.platform === "win32") return undefined;
	if (process.platform !== "linux") return spawnSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? "";
	try {
		return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
	} catch {
		return "";
	}
}
