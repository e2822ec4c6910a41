// What the groups node offers of searching what was said.
import { published } from "./contract.ts";
import { message } from "./messages.ts";
import { array, int, list, object, page, text, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

/** A message that was found. `matches` are the places in its content that fit, each from and up to a character (UTF-16), in order. */
export const found = object({
	...message.props,
	groupId: uuid,
	groupName: text(1, 100),
	matches: array(object({ from: int(0), to: int(1) }), { max: 100 }),
});
export type FoundMessage = Infer<typeof found>;

const search = { q: text(1, 200), ...page };

export const actions = {
	...published({
		"messageSearch.inGroup": {
			summary: "Messages of a group that have every word of `q`, or one that begins with it, newest first. Deleted texts are not found.",
			params: { groupId: uuid, ...search },
			answer: list(found),
			owner: "groupId",
			repeatable: true,
		},
		"messageSearch.everywhere": {
			summary: "The same in all groups that the caller is in.",
			params: search,
			answer: list(found),
			repeatable: true,
		},
	}),
};
