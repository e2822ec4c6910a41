// Where one server and its data are, as whom it runs, and what is remembered of it between two starts.
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { refusal } from "../refusal.ts";
import { readLockFile } from "./postmaster.ts";
import { completeInstall, copyWhole, type Identity, identityFor, letIn, locateServer, passable, reachable, type Server } from "./server.ts";
import { settings } from "./settings.ts";

export interface EmbeddedOptions {
	/** Hears sentences for the operator: data copied elsewhere, port changed. */
	say?(sentence: string): void;
	/** Further server settings; tests turn fsync off and raise max_connections. */
	settings?: Record<string, string | number>;
	/** Where server and data go when the unprivileged user cannot reach the project. */
	shelter?: string;
}

export interface Memory {
	port: number;
	password: string;
	/** Where the data is when it could not stay in DATA_DIR. */
	data?: string;
}

/** Everything known about one server before it runs. */
export interface Place {
	home: string;
	data: string;
	server: Server;
	identity: Identity | undefined;
	memory: Memory;
	/** The flags of this server's settings. */
	flags: string[];
}

/** Decides where server and data are and who runs them; copies what the unprivileged user cannot reach. */
export function settle(home: string, { say = () => {}, shelter = "/var/lib", settings: more = {} }: EmbeddedOptions): Place {
	const memory = recall(home);
	let data = memory.data ?? path.join(home, "postgres");
	let server = locateServer();
	completeInstall(server);
	const identity = identityFor(data);
	if (identity) {
		if (!reachable(server.root, identity) || !reachable(path.join(server.root, "share"), identity)) {
			const copy = path.join(shelter, `reloop-server-${server.version}`);
			copyWhole(server.root, copy);
			say(
				`PostgreSQL refuses to run as root, and user ${identity.uid} cannot reach ${server.root}: the server runs from a copy in ${copy}.`,
			);
			server = { ...server, root: copy };
		}
		letIn(home, identity);
		if (!passable(path.dirname(data), identity)) {
			const refuge = path.join(shelter, `reloop-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`);
			const moved = path.join(refuge, "postgres");
			fs.mkdirSync(refuge, { recursive: true, mode: 0o755 });
			// A directory that is locked by a living server is not copied: that server is adopted where it is.
			if (fs.existsSync(data) && !readLockFile(data)) copyWhole(data, moved, identity);
			if (!fs.existsSync(data) || fs.existsSync(moved)) {
				say(`PostgreSQL refuses to run as root, and user ${identity.uid} cannot reach ${home}: the database is kept in ${moved}.`);
				data = moved;
				memory.data = data;
				remember(home, memory);
			}
		}
	} else {
		const owner = fs.statSync(data, { throwIfNoEntry: false })?.uid;
		if (owner !== undefined && process.getuid && owner !== process.getuid()) {
			throw refusal(
				`The database in ${data} belongs to user ${owner}; this process runs as user ${process.getuid()}. Start it as before, or move ${data} away to begin anew.`,
			);
		}
	}
	const flags = Object.entries({ ...settings, ...more }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
	return { home, data, server, identity, memory, flags };
}

function recall(home: string): Memory {
	const file = path.join(home, "postgres.json");
	if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8")) as Memory;
	if (fs.existsSync(path.join(home, "postgres", "PG_VERSION"))) {
		throw refusal(
			`${file} is missing: it holds the password of the database beside it. Restore it, or move ${path.join(home, "postgres")} away to begin anew.`,
		);
	}
	const memory = { port: 0, password: randomBytes(24).toString("base64url") };
	remember(home, memory);
	return memory;
}

export function remember(home: string, memory: Memory): void {
	const file = path.join(home, "postgres.json");
	fs.writeFileSync(`${file}.new`, `${JSON.stringify(memory)}\n`, { mode: 0o600 });
	fs.renameSync(`${file}.new`, file);
}

export function logFile({ home }: Place): string {
	return path.join(home, "postgres.log");
}
