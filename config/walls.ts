// Who may import whom, as one table. `npm run lint` runs it: prints file:line and the wall, exits 1 when one is broken.
import fs from "node:fs";
import path from "node:path";

interface Wall {
	/** Said when it is broken. */
	rule: string;
	/** Which files it stands around (paths relative to the project, with /). */
	around(file: string): boolean;
	/** Whether an import is on the wrong side. `target` is a path in the project, or a package's name. */
	refuses(target: string, file: string): boolean;
}

export interface Breach {
	file: string;
	line: number;
	rule: string;
}

const nodeOf = (file: string): string | undefined => /^services\/([^/]+)\//.exec(file)?.[1];
const inNode = (file: string): boolean => nodeOf(file) !== undefined && nodeOf(file) !== "contracts";
const inContracts = (file: string): boolean => file.startsWith("services/contracts/");
const inDomain = (file: string): boolean => inNode(file) && /^services\/[^/]+\/domain\//.test(file);
const isStore = (file: string): boolean => inNode(file) && /(^|[/.-])store(\.ts$|\/)/.test(file);
const isOurs = (target: string): boolean => /^(services|config|mixins|test|bench)\//.test(target);

const walls: Wall[] = [
	{
		rule: "No node imports another node's folder: what nodes share is in services/contracts.",
		around: inNode,
		refuses: (target, file) => inNode(target) && nodeOf(target) !== nodeOf(file),
	},
	{
		rule: "Contracts import no node and nothing of the house: they are what everybody else may import.",
		around: inContracts,
		refuses: (target) => isOurs(target) && !inContracts(target),
	},
	{
		rule: "Domain imports contracts and its own domain only: it decides, and touches nothing.",
		around: inDomain,
		refuses: (target, file) => !inContracts(target) && !(inDomain(target) && nodeOf(target) === nodeOf(file)),
	},
	{
		rule: "A store imports its domain, its own store, contracts, mixins and the driver only.",
		around: isStore,
		refuses: (target, file) =>
			!inContracts(target) &&
			!target.startsWith("mixins/") &&
			!(nodeOf(target) === nodeOf(file) && (inDomain(target) || isStore(target))) &&
			!/^(pg|uuid|node:(crypto|buffer|util))$/.test(target),
	},
	{
		rule: "Only a store speaks to the database: everything else of a node asks its store.",
		around: (file) => inNode(file) && !isStore(file),
		refuses: (target) => target === "pg" || target.startsWith("pg-"),
	},
	{
		rule: "Only mixins speak to NATS, Redis and MongoDB: everything else has it from them.",
		around: (file) => /^(config|services)\//.test(file) || file === "moleculer.config.ts",
		refuses: (target) => /^(nats|ioredis|mongodb|moleculer-db.*)$/.test(target),
	},
	{
		rule: "A node imports its own folder, contracts, mixins and packages: not config, tests or benchmarks.",
		around: inNode,
		refuses: (target) => /^(config|test|bench)\//.test(target),
	},
	{
		rule: "Mixins import no node: they serve every one.",
		around: (file) => file.startsWith("mixins/"),
		refuses: (target) => inNode(target) || /^(test|bench)\//.test(target),
	},
	{
		rule: "Only config/app.ts loads services.",
		around: (file) => file.startsWith("config/") && file !== "config/app.ts",
		refuses: (target) => inNode(target),
	},
	{
		rule: "The product imports no test and no benchmark.",
		around: (file) => /^(config|moleculer\.config)/.test(file),
		refuses: (target) => /^(test|bench)\//.test(target),
	},
];

/** Tests and benchmarks start child processes, whose environment they make. */
const mayReadEnvironment = (file: string): boolean => file === "config/env.ts" || /^(test\/support|bench)\//.test(file);
const MOST_LINES = 250;
/** Types that the compiler takes on trust. In tests they stand for what a stranger may send. */
const holdsTypes = (file: string): boolean => /^(services|mixins|config)\/.*\.ts$/.test(file);
// Only where a type stands: SQL has an any(), and English an any.
const unchecked = /\bas\s+(?:unknown\s+as|never|any)\b|(?:[:<|&,=]|=>|\bextends)\s*any\b(?!\s*\()/g;
const quoted = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`/g;
/** Templates are left as they are: code may stand in them. */
const strings = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

/** Every breach in the project at `root`, in the order of files and lines. */
export function breaches(root: string): Breach[] {
	return sourcesOf(root).flatMap((file) => breachesIn(file, fs.readFileSync(path.join(root, file), "utf8")));
}

/** The breaches of one file. */
export function breachesIn(file: string, text: string): Breach[] {
	const found: Breach[] = [];
	const code = withoutComments(text);
	for (const { target, line } of importsOf(file, code)) {
		for (const { rule, around, refuses } of walls) if (around(file) && refuses(target, file)) found.push({ file, line, rule });
	}
	if (!mayReadEnvironment(file)) {
		const bare = code.replace(strings, (text) => (/^.((node:)?process|env).$/.test(text) ? text : " ".repeat(text.length)));
		for (const { index } of bare.matchAll(
			/\bprocess\s*(\??\.\s*env\b|\[\s*["'`]env)|\benv\b[^;{}]*\}\s*(=\s*process\b|from\s*["'](node:)?process["'])/g,
		)) {
			found.push({ file, line: lineAt(code, index), rule: "Only config/env.ts reads process.env." });
		}
	}
	if (holdsTypes(file)) {
		const bare = code.replace(quoted, (text) => text.replace(/[^\n]/g, " "));
		for (const { index } of bare.matchAll(unchecked)) {
			const line = lineAt(code, index);
			if (!isExplained(text, code, line))
				found.push({ file, line, rule: "A cast past the compiler says why, on its line or the one above." });
		}
	}
	const lines = text.trimEnd().split("\n").length;
	if (file.endsWith(".service.ts") && lines > MOST_LINES) {
		found.push({
			file,
			line: MOST_LINES + 1,
			rule: `A service file has at most ${MOST_LINES} lines (this one: ${lines}): the folder wants a second service.`,
		});
	}
	return found.sort((a, b) => a.line - b.line);
}

function sourcesOf(root: string): string[] {
	const folders = ["config", "mixins", "services", "test", "bench"].filter((name) => fs.existsSync(path.join(root, name)));
	const inside = folders.flatMap((name) =>
		fs.readdirSync(path.join(root, name), { recursive: true, encoding: "utf8" }).map((file) => `${name}/${file.replaceAll(path.sep, "/")}`),
	);
	const above = fs.readdirSync(root).filter((name) => name.endsWith(".ts"));
	return [...above, ...inside].filter((file) => /\.(ts|js|mjs|cjs)$/.test(file) && !file.includes("/node_modules/")).sort();
}

/** Comments become blanks of the same length, so that places stay; strings are kept. */
function withoutComments(text: string): string {
	const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`/g;
	return text.replace(token, (found) => (found.startsWith("/*") || found.startsWith("//") ? found.replace(/[^\n]/g, " ") : found));
}

/** Is there a comment on this line, or is the line above it one? `code` is the text without its comments. */
function isExplained(text: string, code: string, line: number): boolean {
	const [said, done] = [text.split("\n"), code.split("\n")];
	return said[line - 1] !== done[line - 1] || (said[line - 2]?.trim() !== "" && done[line - 2]?.trim() === "");
}

/** Static, re-exporting, dynamic and required imports; type imports count: a type is knowledge of the other side too. */
function importsOf(file: string, code: string): { target: string; line: number }[] {
	const form = /\bfrom\s*["']([^"'\n]+)["']|\bimport\s*["']([^"'\n]+)["']|\b(?:import|require|resolve)\s*\(\s*["'`]([^"'`\n]+)["'`]/g;
	return [...code.matchAll(form)].map((match) => {
		const name = match[1] ?? match[2] ?? match[3] ?? "";
		const target = name.startsWith(".") ? path.posix.join(path.posix.dirname(file), name) : name;
		return { target, line: lineAt(code, match.index) };
	});
}

function lineAt(code: string, index: number): number {
	return code.slice(0, index).split("\n").length;
}

if (import.meta.main) {
	const found = breaches(path.resolve(import.meta.dirname, ".."));
	for (const { file, line, rule } of found) console.error(`${file}:${line}  ${rule}`);
	if (found.length > 0) process.exitCode = 1;
}
