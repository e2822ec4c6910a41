// Whom many-at-once is for: what the identity node tells nodes that tell many something.
import { internal } from "./contract.ts";
import { accountRole, profileKind } from "./identity.ts";
import { array, defaulted, int, object, oneOf, optional, text, time, uuid } from "./schema.ts";

/** Of accounts their role, of profiles their kind. */
const role = oneOf(...accountRole.values, ...profileKind.values);
/** A time zone (`Europe/Lisbon`) or the beginning of some (`Europe`): of where people are, nothing else is known. */
const area = text(1, 64, { pattern: /^[A-Za-z][\w+-]*(\/[\w+-]+)*$/ });

export const whom = { role: optional(role), area: optional(area) };

export const actions = {
	...internal({
		"identity.audience": {
			summary: "Other nodes that tell many something: profiles of accounts that may sign in, in the order of their ids.",
			params: {
				...whom,
				/** Of these alone. */
				profileIds: optional(array(uuid, { max: 1000 })),
				/** Made before. */
				before: time,
				after: optional(uuid),
				limit: defaulted(int(1, 1000), 1000),
			},
			answer: object({ profileIds: array(uuid) }),
			repeatable: true,
		},
		"identity.audienceSize": {
			summary: "Other nodes: how many those are, in all.",
			params: { ...whom, before: time },
			answer: object({ profiles: int(0) }),
			repeatable: true,
		},
	}),
};
