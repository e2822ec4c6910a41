// What operators can do, as one table: `npm run admin -- <command>` and the REPL offer the same. Every operation that a file in
// operations/ exports is in it, under the first word of its usage.
import { readdirSync } from "node:fs";
import type { Operation } from "./operations/row.ts";

const isOperation = (it: unknown): it is Operation => typeof it === "object" && it !== null && "usage" in it && "run" in it;

/** The operations in the files of a folder, in the order of the alphabet. Throws where two have the same name. */
export async function operationsIn(folder: URL): Promise<Readonly<Record<string, Operation>>> {
	const names = readdirSync(folder).filter((file) => file.endsWith(".ts"));
	const files: object[] = await Promise.all(names.map((file) => import(new URL(file, folder).href)));
	const found = new Map<string, Operation>();
	for (const operation of files.flatMap((file) => Object.values(file)).filter(isOperation)) {
		const [name = ""] = operation.usage.split(" ");
		if (found.has(name)) throw new Error(`Two operations in config/operations are called ${name}.`);
		found.set(name, operation);
	}
	return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const operations = await operationsIn(new URL("./operations/", import.meta.url));
