// What this node keeps of persons. Erased it is already when the others are told (erase.ts): what is left is what mixins keep.
import type { PersonalData } from "../../mixins/person/index.ts";
import type { IdentityNode } from "./node.ts";
import { kept } from "./store/exports.ts";

type Exports = PersonalData<IdentityNode>["exports"];

export const persons: PersonalData<IdentityNode> = {
	exports: Object.fromEntries(
		Object.entries(kept).map(([section, ask]): [string, Exports[string]] => [
			section,
			(person, after, limit, { db }) => ask(db, person, after, limit),
		]),
	),
	erase: async () => {},
};
