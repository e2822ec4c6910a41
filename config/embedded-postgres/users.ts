// Who uses a server: each start is an entry in `postgres.users/`, and who takes the last one away stops the server.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isAlive } from "../lock-file.ts";
import { refusal } from "../refusal.ts";
import { exit } from "./launch.ts";
import type { Place } from "./place.ts";
import { isServerOf, readLockFile } from "./postmaster.ts";
import { binary } from "./server.ts";

const STOP_LIMIT_MS = 30_000;

/** The entries of this process in `postgres.users/` of whatever directory. */
const tickets = new Set<string>();
let count = 0;

export function register(home: string): string {
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

/** It has not left. */
export const isRegistered = (ticket: string): boolean => tickets.has(ticket);

/** Stops the server when nobody else uses it. Entries of processes that were killed count for nobody. */
export async function leave({ data, server }: Place, ticket: string): Promise<void> {
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
