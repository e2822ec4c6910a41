// What the presence node offers: who is here, and each profile's own numbered room of notices.
import { health } from "./identity.ts";
import { heads, headsParams, openedRoom, openRoomParams } from "./groups.ts";
import { action, actions, array, facts, nullable, object, oneOf, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

export const status = oneOf("online", "away", "offline");
export const presenceEntry = object({ profileId: uuid, status, lastSeen: nullable(time) });
export type PresenceEntry = Infer<typeof presenceEntry>;
/** Names one socket of one door process. */
const connection = { connectionId: text(1, 128), profileId: uuid };

export const presenceActions = actions({
	"presence.health": action({ summary: "How this node is.", params: {}, answer: health, published: true, repeatable: true }),
	"presence.connected": action({
		summary: "Doors: a socket of this profile opened.",
		params: connection,
		answer: object({}),
		repeatable: true,
	}),
	"presence.disconnected": action({
		summary: "Doors: a socket of this profile closed.",
		params: connection,
		answer: object({}),
		repeatable: true,
	}),
	"presence.set": action({
		summary: "The client says how it is; it holds for the whole profile until it says otherwise.",
		params: { connectionId: text(1, 128), status: oneOf("online", "away", "hidden") },
		answer: object({}),
		published: true,
		repeatable: true,
	}),
	"presence.lookup": action({
		summary: "The state of up to 500 profiles, in the order asked; hidden and unknown ones as offline.",
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
