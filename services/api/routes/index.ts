// The HTTP door as ONE table, a file for each node: every path there is, which action answers it, and who may ask. Closed by
// default: what has no row is 404, and a row without an access rule stops the start (router.ts). route.ts says what a row may hold.
// A node's file is found by the node's name, as its services are: routes/notes.ts exports `notes`.
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { nodeNames } from "../../contracts/index.ts";
import type { Route } from "../route.ts";
import { process } from "./process.ts";

/** Loads the rows of each node, in the order of the nodes. Throws where a file is of no node, or has no rows under its name. */
export async function rowsOf(folder: URL, nodes: readonly string[]): Promise<Route[]> {
	const files = readdirSync(folder)
		.filter((file) => file.endsWith(".ts"))
		.map((file) => basename(file, ".ts"));
	const stranger = files.find((file) => !["index", "process", ...nodes].includes(file));
	if (stranger) throw new Error(`services/api/routes/${stranger}.ts is named after no node in services/contracts/index.ts.`);
	const load = async (node: string): Promise<readonly Route[]> => {
		const { [node]: rows }: Record<string, unknown> = await import(new URL(`${node}.ts`, folder).href);
		if (!Array.isArray(rows))
			throw new Error(`services/api/routes/${node}.ts has no rows: export const ${node}: readonly Route[] = [ … ].`);
		return rows;
	};
	return (await Promise.all(nodes.filter((node) => files.includes(node)).map(load))).flat();
}

export const routes: readonly Route[] = [...process, ...(await rowsOf(new URL("./", import.meta.url), nodeNames))];
