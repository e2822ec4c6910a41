// What the presence node offers: who is here, and each profile's own numbered room of notices.
import { internal, published, signalTable } from "./contract.ts";
import { roomActions } from "./rooms.ts";
import { workActions } from "./work.ts";
import { array, bool, int, nullable, object, oneOf, optional, text, time, uuid } from "./schema.ts";
import type { Infer, InferProps } from "./schema.ts";

/** `unknown`: what everybody here has in common (Redis) is away; nobody can be asked. */
export const status = oneOf("online", "away", "offline", "unknown");
export const presenceEntry = object({ profileId: uuid, status, lastSeen: nullable(time) });
export type PresenceEntry = Infer<typeof presenceEntry>;

/** Of groups with more members than this, presence is counted, and told of a sample only. */
export const LARGE_GROUP = 1_000;
/** As many as are named of a large group. */
export const GROUP_SAMPLE = 100;
/**
 * How the members of a group are: how many of all, those who hide, and who is apart from oneself, among the offline ones, and who of them is online or away. In a
 * large group that is a `sample`, oneself in it where one is here; the counts are some seconds old there. `counts` is null while
 * nobody can be asked.
 */
export const groupPresence = object({
	groupId: uuid,
	memberCount: int(1),
	counts: nullable(object({ online: int(0), away: int(0), offline: int(0) })),
	online: array(presenceEntry, { max: LARGE_GROUP }),
	sample: bool,
});
export type GroupPresence = Infer<typeof groupPresence>;
export const signals = signalTable({
	"presence.changed": {
		summary: "How profiles are now. `number` follows that of the one before, so that doors notice a lost one.",
		payload: { number: int(0), profiles: array(presenceEntry) },
	},
});
export type PresenceChanged = InferProps<(typeof signals)["presence.changed"]["payload"]>;
export type DoorReport = InferProps<typeof doorReport>;
/** Names one socket of one door process. */
const connectionId = text(1, 128);
const lookedAt = text(1, 120);

/** What a door process says of its sockets; said about once a second, also when nothing has changed. */
const doorReport = {
	/** Names the process's door; its process first, then "|". */
	instance: text(1, 128),
	/** Counts this door's reports: one that comes late, behind a newer one, is not believed. */
	no: int(1),
	/** Whatever was known of this door before is void: it begins anew. */
	begin: bool,
	/** Sockets that are known of this door after this report, if nothing was lost. */
	count: int(0),
	/** `looks`: the room that is looked at on it. */
	opened: array(object({ connectionId, profileId: uuid, looks: optional(lookedAt) }), { max: 500 }),
	closed: array(connectionId, { max: 500 }),
};

export const actions = {
	...published({
		"presence.set": {
			summary: "The client says how it is; it holds for the whole profile until it says otherwise.",
			params: { connectionId, status: oneOf("online", "away", "hidden") },
			answer: object({}),
			repeatable: true,
		},
		"presence.focus": {
			summary: "The client says which room is being looked at on this socket; null for none. Of that room nothing is pushed.",
			params: { connectionId, room: nullable(lookedAt) },
			answer: object({}),
			repeatable: true,
		},
		"presence.lookup": {
			summary: "The state of up to 500 profiles, in the order asked; hidden ones, strangers and those who are apart by a block as offline.",
			params: { ids: array(uuid, { min: 1, max: 500 }) },
			answer: object({ data: array(presenceEntry) }),
			repeatable: true,
		},
		"presence.group": {
			summary: "Who of a group's members is here; of a large group the counts and a sample.",
			params: { groupId: uuid },
			answer: groupPresence,
			repeatable: true,
		},
	}),
	...internal({
		"presence.report": {
			summary: "Doors: sockets opened and closed. `known` is false where the door must begin anew; `told` numbers the last change told.",
			params: doorReport,
			answer: object({ known: bool, told: int(0) }),
			repeatable: true,
		},
		...workActions("presence"),
		"presence.states": {
			summary: "Doors: the same, whoever wants to know it; they keep apart themselves who is apart.",
			params: { ids: array(uuid, { min: 1, max: 500 }) },
			answer: object({ data: array(presenceEntry) }),
			repeatable: true,
		},
		"notifications.openRoom": roomActions.openRoom,
		"notifications.heads": roomActions.heads,
	}),
};
