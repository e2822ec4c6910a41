// Starting a server: making its database where there is none, taking a port, waiting until it is ready.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemEnvironment } from "../env.ts";
import { refusal } from "../refusal.ts";
import { logFile, type Place, remember } from "./place.ts";
import { freePort, isFree } from "./port.ts";
import { readLockFile } from "./postmaster.ts";
import { binary } from "./server.ts";
import { OWNER, START_LIMIT_MS } from "./settings.ts";

/** Answers the process id of a server that is ready. Throws a sentence where it does not start. */
export async function start(place: Place): Promise<number> {
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

/** The exit code of a process, the signal that ended it, or why it did not start. */
export function exit(child: ReturnType<typeof spawn>): Promise<number | string> {
	return new Promise((resolve) => {
		child.once("error", (error) => resolve(error.message));
		child.once("exit", (code, signal) => resolve(code ?? signal ?? 1));
	});
}
