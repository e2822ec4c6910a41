// Finding a server of ours that runs already: another process of ours uses it, or the one that started it was killed.
import fs from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { isAlive } from "../lock-file.ts";
import { refusal } from "../refusal.ts";
import { type Place, remember } from "./place.ts";
import { impossiblePid, isServerOf, readLockFile } from "./postmaster.ts";
import { ownerUrl, START_LIMIT_MS } from "./settings.ts";

/** Answers the process id of a living server of this data directory once it is ready; undefined where there is none. */
export async function adopt(place: Place): Promise<number | undefined> {
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
