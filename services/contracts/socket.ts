// The realtime door's two tables of shapes: what clients may say, what they hear. Where it goes is services/socket/events.ts.
import { array, bool, defaulted, int, json, object, oneOf, optional, record, text, time, uuid } from "./schema.ts";
import type { Infer, InferProps } from "./schema.ts";
import { clientId, content, emoji } from "./messages.ts";
import { logEvent, openedRoom } from "./rooms.ts";
import { presenceEntry } from "./presence.ts";

export const roomName = text(1, 120);
/** Which action opens a room, by the name before the colon. */
export const roomOwners = { group: "messages.openRoom", profile: "notifications.openRoom" } as const;
/** Which action says how far rooms are. */
export const roomHeads = { group: "messages.heads", profile: "notifications.heads" } as const satisfies Record<
	keyof typeof roomOwners,
	string
>;
/** Other names a room is known by. */
export const roomAliases = { notification: "profile" } as const;
/** At most so many events of one room in one answer. */
export const ROOM_PAGE = 500;

const group = { groupId: uuid };
const written = object({ room: roomName, seq: int(1) });
export const socketEvents = {
	"group:join": {
		summary: "Subscribe this socket to a group's room; with `after`, get what came since.",
		payload: { ...group, after: optional(int(0)) },
		result: openedRoom,
	},
	"group:leave": { summary: "Unsubscribe this socket; the membership stays.", payload: group, result: object({ room: roomName }) },
	"message:send": {
		summary: "Append a message; acknowledged once it is stored.",
		payload: {
			...group,
			clientId,
			kind: defaulted(oneOf("text"), "text"),
			content,
			replyTo: optional(int(1)),
			mentions: optional(array(uuid, { max: 50 })),
		},
		result: object({ room: roomName, seq: int(1), id: uuid, at: time, replayed: bool }),
	},
	"message:edit": { summary: "Change one's own message.", payload: { ...group, seq: int(1), content }, result: written },
	"message:delete": { summary: "Delete a message.", payload: { ...group, seq: int(1) }, result: written },
	"message:react": {
		summary: "Add or, with `remove`, take back a reaction.",
		payload: { ...group, seq: int(1), emoji, remove: defaulted(bool, false) },
		result: written,
	},
	read: {
		summary: "Move the read mark forward.",
		payload: { ...group, seq: int(0) },
		result: object({ groupId: uuid, seq: int(0), unread: int(0) }),
	},
	typing: { summary: "Say that one is typing: at most once in two seconds per socket; may be lost.", payload: group, result: object({}) },
	"presence:subscribe": {
		summary: "Who is here now, then the changes as signals.",
		payload: { groupId: optional(uuid), profileIds: optional(array(uuid, { min: 1, max: 500 })) },
		result: object({ online: array(presenceEntry) }),
	},
	"presence:set": { summary: "Say how one is.", payload: { status: oneOf("online", "away", "hidden") }, result: object({}) },
	resume: {
		summary: "What was missed in each room since the seq given, and a subscription to each room that has caught up.",
		payload: { rooms: record(int(0), { max: 200 }) },
		result: object({ rooms: record(json) }),
	},
	"token:refresh": {
		summary: "Live on with a newer access token of the same session's profile.",
		payload: { token: text(1, 8192) },
		result: object({ expiresIn: int(0) }),
	},
} as const;
export type SocketEventName = keyof typeof socketEvents;
export type SocketPayload<E extends SocketEventName> = InferProps<(typeof socketEvents)[E]["payload"]>;
export type SocketResult<E extends SocketEventName> = Infer<(typeof socketEvents)[E]["result"]>;

export const byeReason = oneOf("drain", "revoked", "kicked", "expired");
export const signal = object({
	type: oneOf("typing", "presence", "read"),
	groupId: optional(uuid),
	profileId: optional(uuid),
	seq: optional(int(0)),
	profiles: optional(array(presenceEntry)),
});
export type Signal = Infer<typeof signal>;
export const serverEvents = {
	events: {
		summary: "Log events of a room this socket is subscribed to, in order, each once per connection.",
		payload: object({ room: roomName, events: array(logEvent) }),
	},
	signal: { summary: "May be lost: typing, presence, read marks of others.", payload: signal },
	pull: { summary: "You are slow or too far behind: ask with `resume`.", payload: object({ room: roomName, head: int(0) }) },
	bye: { summary: "This socket is about to be closed.", payload: object({ reason: byeReason, reconnectAfterMs: optional(int(0)) }) },
} as const;
export type ServerEventName = keyof typeof serverEvents;
export type ServerPayload<E extends ServerEventName> = Infer<(typeof serverEvents)[E]["payload"]>;
