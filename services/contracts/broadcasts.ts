// What the presence node offers to operators: to tell many people something, in their own words.
import { whom } from "./audience.ts";
import { published } from "./contract.ts";
import { array, defaulted, json, object, oneOf, optional, record, text, uuid } from "./schema.ts";
import { job } from "./work.ts";

const title = text(1, 200);
const body = text(1, 500);
const words = object({ title, body });
/** One text for all, or one for each language; who reads none of them reads the first of them: English. */
const said = {
	title: optional(title),
	body: optional(body),
	texts: optional(object({ en: words, pt: optional(words), ar: optional(words), ku: optional(words) })),
	kind: defaulted(oneOf("system"), "system"),
	data: optional(record(json, { max: 20 })),
};

export const actions = {
	...published({
		"broadcasts.send": {
			summary: "Tell some profiles something: a long work, answered with its job.",
			description:
				"Either `title` and `body`, or `texts` by language (`en` at least). Profiles that do not exist are passed over. What people want to be told, and when, holds as for every notification.",
			params: { profileIds: array(uuid, { min: 1, max: 1000 }), ...said },
			answer: job,
		},
		"broadcasts.broadcast": {
			summary: "Tell everybody something, or those with a role or in an area: a long work, answered with its job.",
			description:
				"Every profile of an account that may sign in, made before this was asked. `role`: of the account, or the kind of the profile. `area`: those whose account has set this time zone, or one that begins so (`Europe`). Nobody is told twice, whatever is broken off.",
			params: { ...whom, ...said },
			answer: job,
		},
	}),
};
