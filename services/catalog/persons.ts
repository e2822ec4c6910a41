// What the catalog node keeps of persons.
import type { OwnNode, PersonalData } from "../../mixins/node.ts";

export const persons: PersonalData<OwnNode> = { exports: { uploads: async () => [] }, erase: async () => {} };
