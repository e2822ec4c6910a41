// A Dockerfile, read as far as ours goes: no image can be built where tests run, so it is held to what it says.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";

export interface Instruction {
	name: string;
	text: string;
	line: number;
}

export interface Stage {
	name?: string;
	image: string;
	instructions: Instruction[];
}

const known = ["FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD", "LABEL"];

/** The stages of a Dockerfile in their order. Throws at an instruction that it does not know, ADD and ENTRYPOINT among them. */
export function readDockerfile(text: string): Stage[] {
	const stages: Stage[] = [];
	const lines = text.split("\n");
	for (let at = 0; at < lines.length; at++) {
		const line = at + 1;
		if (/^\s*(#|$)/.test(lines[at] as string)) continue;
		let whole = lines[at] as string;
		while (whole.endsWith("\\")) whole = `${whole.slice(0, -1)} ${(lines[++at] ?? "").trim()}`;
		const [, name = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(whole) ?? [];
		assert.ok(known.includes(name), `line ${line}: ${whole}`);
		if (name === "FROM") {
			const [, image = "", alias] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? [];
			stages.push({ name: alias, image, instructions: [] });
		} else stages.at(-1)?.instructions.push({ name, text: rest, line });
	}
	return stages;
}

export const all = (stage: Stage, name: string): string[] =>
	stage.instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);

export function one(stage: Stage, name: string): string {
	const [text, ...more] = all(stage, name);
	assert.ok(text !== undefined && more.length === 0, `one ${name} is expected`);
	return text;
}

/** A command in its exec form: a shell in between would keep SIGTERM to itself. */
export function execForm(text: string): string[] {
	const words: unknown = JSON.parse(text);
	assert.ok(Array.isArray(words) && words.every((word) => typeof word === "string"), text);
	return words;
}

/** ENV NAME=value NAME=value */
export const environmentOf = (stage: Stage): Record<string, string> =>
	Object.fromEntries(
		all(stage, "ENV")
			.flatMap((text) => text.split(/\s+/))
			.map((pair) => pair.split(/=(.*)/s).slice(0, 2)),
	);

/** What `npm ci --omit=dev` and the `rm -rf` behind it leave of a project's packages, copied by the lock file. */
export function copyPackages(root: string, into: string, stage: Stage): void {
	const removed = all(stage, "RUN").flatMap((text) => /&& rm -rf (.*)$/.exec(text)?.[1]?.split(/\s+/) ?? []);
	const isRemoved = (folder: string) => removed.some((pattern) => new RegExp(`^${pattern.replace("*", "[^/]*")}(/|$)`).test(folder));
	const { packages } = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
		packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
	};
	for (const [folder, { dev, optional, devOptional }] of Object.entries(packages)) {
		if (folder === "" || dev || devOptional || isRemoved(folder)) continue;
		// Those of other systems are not installed.
		if (optional && !fs.existsSync(path.join(root, folder))) continue;
		const nested = path.join(root, folder, "node_modules");
		// Packages within have lines of their own.
		fs.cpSync(path.join(root, folder), path.join(into, folder), { recursive: true, filter: (source) => source !== nested });
	}
}

/** Whether a file of the project reaches the builder, by the lines of .dockerignore (the last that speaks of it decides). */
export function reachesBuilder(ignore: string, file: string): boolean {
	let ignored = false;
	for (const line of ignore.split("\n").map((text) => text.trim())) {
		if (line === "" || line.startsWith("#")) continue;
		const [no, pattern] = line.startsWith("!") ? [true, line.slice(1)] : [false, line];
		const parts = file.split("/");
		// A line about a folder speaks of all in it.
		const paths = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
		if (paths.some((part) => globOf(pattern).test(part))) ignored = !no;
	}
	return !ignored;
}

/** As .dockerignore means it: a star stands for names that begin with a dot too. */
function globOf(pattern: string): RegExp {
	const parts = pattern.split(/(\*\*\/|\*\*|\*)/).map((part) => {
		if (part === "**/") return "(.*/)?";
		if (part === "**") return ".*";
		return part === "*" ? "[^/]*" : RegExp.escape(part);
	});
	return new RegExp(`^${parts.join("")}$`);
}
