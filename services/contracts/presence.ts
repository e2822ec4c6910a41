// What the presence node offers: who is here, and each profile's own numbered room of notices.
import { health } from "./identity.ts";
import { heads, headsParams, openedRoom, openRoomParams } from "./groups.ts";
import { action, actions, array, bool, facts, int, nullable, object, oneOf, text, time, uuid } from "./schema.ts";
import type { Infer, InferProps } from "./schema.ts";

/** `unknown`: what everybody here has in common (Redis) is away; nobody can be asked. */
export const status = oneOf("online", "away", "offline", "unknown");
export const presenceEntry = object({ profileId: uuid, status, lastSeen: nullable(time) });
export type PresenceEntry = Infer<typeof presenceEntry>;
/** The signal `presence.changed`: `number` follows that of the one before, so that doors notice a lost one. */
export interface PresenceChanged {
	number: number;
	profiles: PresenceEntry[];
}
export type DoorReport = InferProps<typeof doorReport>;
/** Names one socket of one door process. */
const connectionId = text(1, 128);

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
	opened: array(object({ connectionId, profileId: uuid }), { max: 500 }),
	closed: array(connectionId, { max: 500 }),
};

export const presenceActions = actions({
	"presence.health": action({ summary: "How this node is.", params: {}, answer: health, published: true, repeatable: true }),
	"presence.report": action({
		summary: "Doors: sockets opened and closed. `known` is false where the door must begin anew; `told` numbers the last change told.",
		params: doorReport,
		answer: object({ known: bool, told: int(0) }),
		repeatable: true,
	}),
	"presence.set": action({
		summary: "The client says how it is; it holds for the whole profile until it says otherwise.",
		params: { connectionId, status: oneOf("online", "away", "hidden") },
		answer: object({}),
		published: true,
		repeatable: true,
	}),
	"presence.lookup": action({
		summary: "The state of up to 500 profiles, in the order asked; hidden ones and strangers as offline.",
		params: { ids: array(uuid, { min: 1, max: 500 }) },
		answer: object({ data: array(presenceEntry) }),
		published: true,
		repeatable: true,
	}),
	"notifications.openRoom": action({
		summary: "Doors: what has happened in the caller's own room since.",
		params: openRoomParams,
		answer: openedRoom,
		repeatable: true,
	}),
	"notifications.heads": action({
		summary: "Doors: how far these profiles' rooms are, 0 where nothing was said yet.",
		params: headsParams,
		answer: heads,
		repeatable: true,
	}),
});

export const presenceFacts = facts({});
