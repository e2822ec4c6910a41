// The id of a long work says which node has it: whoever is asked for one asks that node and no other.
import { createHash } from "node:crypto";
import { newId } from "../id.ts";

const TAG = 4;

/** The last four digits of a node's jobs. */
const tagOf = (node: string): string => createHash("sha256").update(node).digest("hex").slice(0, TAG);

/** A new id, in the order of their making as every other. */
export const newJobId = (node: string): string => newId().slice(0, -TAG) + tagOf(node);

/** Finds the node of a job. Throws where two of the nodes could not be told apart. */
export function finder<const N extends string>(nodes: readonly N[]): (jobId: string) => N | undefined {
	const byTag = new Map(nodes.map((node) => [tagOf(node), node]));
	if (byTag.size < nodes.length) throw new Error(`The jobs of two of these nodes have the same tag: ${nodes.join(", ")}.`);
	return (jobId) => byTag.get(jobId.slice(-TAG));
}
