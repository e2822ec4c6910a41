// Migrations as files: which lists of them a node has, and what one of them says.
//
//   -- parts: room-log             tables of a mixin (mixins/<part>.sql): their Up runs before this one, their Down after it
//   -- extensions: pg_trgm         made by the owner before it: a node's role may not
//   -- Up Migration
//   create table …
//   -- Down Migration
//   drop table …
import fs from "node:fs";
import path from "node:path";
import { refusal } from "../refusal.ts";

const home = path.resolve(import.meta.dirname, "../..");
export const SERVICES = path.join(home, "services");
const mixins = path.join(home, "mixins");

/** One list of migrations that runs in a node's schema, and the table there that says how far. */
export interface Track {
	table: string;
	dir: string;
	/** Before a migration's name when it is told: which list it is of. */
	prefix: string;
}

/** What runs in a node's schema, in this order: the tables that mixins need in every node, then the node's own. */
export const tracksOf = (node: string, servicesDir = SERVICES): readonly Track[] => [
	{ table: "mixin_migrations", dir: path.join(mixins, "migrations"), prefix: "mixins/" },
	{ table: "migrations", dir: path.join(servicesDir, node, "migrations"), prefix: "" },
];

/** The nodes that have migrations, by name. */
export function nodesWithMigrations(servicesDir = SERVICES): string[] {
	const folders = fs.readdirSync(servicesDir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
	return folders
		.map(({ name }) => name)
		.filter((name) => fs.existsSync(path.join(servicesDir, name, "migrations")))
		.sort();
}

const fileName = /^(\d{4}_[a-z0-9_]+)\.sql$/;

/** The names of a list, in order. Throws a refusal at a file that is none. */
export function namesIn(dir: string): string[] {
	return fs
		.readdirSync(dir)
		.sort()
		.map((file) => {
			const name = fileName.exec(file)?.[1];
			if (!name) throw refusal(`${path.join(dir, file)} is no migration: their names look like 0001_what_it_does.sql.`);
			return name;
		});
}

/** Between two pieces of SQL, whatever the first ends with. */
const NEXT = "\n;\n";

/** What a file says. `up` and `down` include those of its parts. */
export interface Migration {
	extensions: string[];
	parts: string[];
	up: string;
	down: string;
}

/** Reads a migration with the parts it names. Throws a refusal where something is missing. */
export function readMigration(file: string): Migration {
	const { head, up, down } = sections(file);
	const parts = listed(head, "parts");
	const theirs = parts.map((part) => sections(partFile(file, part)));
	return {
		extensions: listed(head, "extensions"),
		parts,
		up: [...theirs.map((part) => part.up), up].join(NEXT),
		down: [down, ...theirs.toReversed().map((part) => part.down)].join(NEXT),
	};
}

/** The parts that a node's migrations name. */
export const partsOf = (node: string, servicesDir = SERVICES): string[] =>
	tracksOf(node, servicesDir).flatMap(({ dir }) => namesIn(dir).flatMap((name) => listed(sections(fileOf(dir, name)).head, "parts")));

/** Everything that mixins can make in a schema, as SQL: the tables of every node, then the parts. */
export function mixinsSql(): string {
	const everyNodes = path.join(mixins, "migrations");
	const files = [
		...namesIn(everyNodes).map((name) => fileOf(everyNodes, name)),
		...knownParts().map((part) => path.join(mixins, `${part}.sql`)),
	];
	return files.map((file) => sections(file).up).join(NEXT);
}

export const fileOf = (dir: string, name: string): string => path.join(dir, `${name}.sql`);

const knownParts = (): string[] =>
	fs
		.readdirSync(mixins)
		.filter((file) => file.endsWith(".sql"))
		.map((file) => path.basename(file, ".sql"));

function partFile(asking: string, part: string): string {
	if (knownParts().includes(part)) return path.join(mixins, `${part}.sql`);
	throw refusal(
		`${asking} asks for the part ${part}. The parts that a node may name are: ${knownParts().join(", ")}; the tables of mixins/migrations every node has without naming them.`,
	);
}

function sections(file: string): { head: string; up: string; down: string } {
	const [, head, up, down] = /^(.*?)^-- Up Migration\s*?$(.*?)^-- Down Migration\s*?$(.*)/ms.exec(fs.readFileSync(file, "utf8")) ?? [];
	if (head === undefined || up === undefined || down === undefined)
		throw refusal(`${file} lacks a line: a migration has "-- Up Migration" and, after it, "-- Down Migration".`);
	return { head, up: up.trim(), down: down.trim() };
}

/** The words after `-- <word>:` at a file's head. */
function listed(head: string, word: "extensions" | "parts"): string[] {
	const [, list = ""] = new RegExp(`^-- ${word}:(.*)$`, "m").exec(head) ?? [];
	return list.split(/[\s,]+/).filter(Boolean);
}
