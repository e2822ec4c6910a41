// What every node that keeps something must offer about persons: what it keeps of one, and that it has erased one. Like `<node>.health`
// it is made for each node of the table in index.ts, without a line of its own; the doors keep nothing.
import type { ActionContract, FactContract } from "./contract.ts";
import { array, json, nullable, object, optional, text, time, uuid } from "./schema.ts";

/** Who stands where somebody stood who has been erased: in messages, events, facts. Nobody has this id. */
export const DELETED = { profileId: "00000000-0000-0000-0000-000000000000", displayName: "deleted" } as const;

export const doors = ["api", "socket"] as const;
export type Door = (typeof doors)[number];

/** An account and all its profiles. */
const person = { accountId: uuid, profileIds: array(uuid, { max: 10_000 }) };

const exportOf = {
	summary: "A portion of what this node keeps of a person, section by section; `next` is where the next portion begins.",
	params: { ...person, from: optional(text(1, 600)) },
	answer: object({ section: text(1, 60), rows: array(json), next: nullable(text(1, 600)) }),
	repeatable: true,
} as const satisfies ActionContract;

/** The action `<node>.exportOf` of each node. */
export const personActions = <const N extends string>(
	nodes: readonly N[],
): { readonly [Node in N as `${Node}.exportOf`]: typeof exportOf } =>
	Object.fromEntries(nodes.map((node) => [`${node}.exportOf`, exportOf])) as { [Node in N as `${Node}.exportOf`]: typeof exportOf };

const erased = {
	summary: "This node's receipt: it has erased what it kept of a person.",
	payload: { accountId: uuid },
} as const satisfies FactContract;

/** The fact `<node>.person.erased` of each node. */
export const personFacts = <const N extends string>(
	nodes: readonly N[],
): { readonly [Node in N as `${Node}.person.erased`]: typeof erased } =>
	Object.fromEntries(nodes.map((node) => [`${node}.person.erased`, erased])) as { [Node in N as `${Node}.person.erased`]: typeof erased };

/** What the identity node tells when somebody is to be erased. `since`: nothing of them is older. */
export const accountErased = {
	summary: "An account was erased; every node erases what it keeps of the person, and says so.",
	payload: { ...person, since: time },
} as const satisfies FactContract;
