// Long work: what is answered with 202 and looked at until it is done. A node that has some offers `<node>.job` (mixins/work).
import type { ActionContract } from "./contract.ts";
import { int, json, object, oneOf, optional, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

/** `done` of `total` steps; `result` once it is done, `error` once it has failed. */
export const job = object({
	id: uuid,
	kind: text(1, 40),
	state: oneOf("waiting", "running", "done", "failed"),
	done: int(0),
	total: int(0),
	result: optional(json),
	error: optional(object({ code: text(1, 40), detail: text(0, 1000) })),
	createdAt: time,
});
export type Job = Infer<typeof job>;

/** What names a job, and, for those who have nothing else, the ticket they were given with it. */
export const jobParams = { jobId: uuid, ticket: optional(text(1, 100)) };

const contract = {
	summary: "A long work of this node, as its starter, an operator or the holder of its ticket may see it.",
	params: jobParams,
	answer: job,
	errors: ["not-found"],
	repeatable: true,
} as const satisfies ActionContract;

/** The action `<node>.job`, for the internal table of a node with long work. */
export const workActions = <const N extends string>(node: N): { readonly [K in `${N}.job`]: typeof contract } =>
	({ [`${node}.job`]: contract }) as { [K in `${N}.job`]: typeof contract };
