// Where the programs of other people are that a cluster on one machine is made of: nats-server, redis-server, postgres, mongod,
// pgbouncer. Looked for in PATH, in the folder where CI installs what it needs, and where packages put what PATH does not name.
import fs from "node:fs";
import path from "node:path";
import { systemEnvironment } from "./env.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const suffix = process.platform === "win32" ? ".exe" : "";

/** Debian keeps each major version of PostgreSQL to itself; the newest first. */
function debianPostgres(): string[] {
	const home = "/usr/lib/postgresql";
	if (!fs.existsSync(home)) return [];
	const versions = fs.readdirSync(home).sort((a, b) => Number(b) - Number(a));
	return versions.map((version) => path.join(home, version, "bin"));
}

const usualPlaces = (): string[] => [
	path.join(ROOT, ".ci-bin"),
	"/usr/local/bin",
	"/usr/local/sbin",
	"/usr/bin",
	"/usr/sbin",
	"/opt/homebrew/bin",
	...debianPostgres(),
];

/** The file of a program that this machine can run; undefined where there is none. */
export function findProgram(name: string): string | undefined {
	const { PATH, Path } = systemEnvironment();
	const folders = [...(PATH ?? Path ?? "").split(path.delimiter).filter(Boolean), ...usualPlaces()];
	return folders.map((folder) => path.join(folder, name + suffix)).find(isExecutable);
}

function isExecutable(file: string): boolean {
	try {
		fs.accessSync(file, fs.constants.X_OK);
		return fs.statSync(file).isFile();
	} catch {
		return false;
	}
}
