// How a node or a process is. Every node of the table in index.ts has the action `<node>.health`, without a line of its own.
import { object, oneOf, optional, record } from "./schema.ts";
import type { Infer } from "./schema.ts";

export const health = object({
	status: oneOf("ok", "degraded", "down"),
	checks: optional(record(object({ status: oneOf("ok", "degraded", "down") }))),
});
export type Health = Infer<typeof health>;

const contract = { summary: "How this node is.", params: {}, answer: health, published: true, repeatable: true } as const;

/** The action `<node>.health` of each node. */
export const healthActions = <const N extends string>(nodes: readonly N[]): { readonly [Node in N as `${Node}.health`]: typeof contract } =>
	Object.fromEntries(nodes.map((node) => [`${node}.health`, contract])) as { [Node in N as `${Node}.health`]: typeof contract };
