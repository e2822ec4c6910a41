/**
 * A lock between processes of one machine: a file that names its holder. A holder that died is noticed by its process id.
 */
import fs from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { refusal } from "./refusal.ts";

/** Whether a process of this id lives (also one that we may not signal). */
export function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}

const LIMIT_MS = 60_000;

/** What this process holds. In a container a new process often has the id of the one that was killed: its locks are not ours. */
const held = new Set<string>();

/** Runs `work` while no other holder of the same file runs. Gives up with a sentence after a minute. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
	const until = Date.now() + LIMIT_MS;
	while (!take(file)) {
		if (Date.now() > until) throw refusal(`Another process holds ${file} for more than a minute. Remove the file if none does.`);
		await pause(10);
	}
	try {
		return await work();
	} finally {
		held.delete(file);
		fs.rmSync(file, { force: true });
	}
}

function take(file: string): boolean {
	try {
		fs.writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
		held.add(file);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	}
	try {
		const holder = Number(fs.readFileSync(file, "utf8"));
		// An empty file was made this instant and not written yet, unless it is old: then its maker died in between.
		const lives = holder === process.pid ? held.has(file) : isAlive(holder);
		const abandoned = holder ? !lives : Date.now() - fs.statSync(file).mtimeMs > 2_000;
		// Renamed before it is removed: of two who both find a dead holder, only one can move the file away.
		if (abandoned) {
			const aside = `${file}.${process.pid}`;
			fs.renameSync(file, aside);
			fs.rmSync(aside, { force: true });
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
	}
	return false;
}
