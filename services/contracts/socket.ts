// The realtime door's two tables: what clients may say, what they hear. An event that is an action is one row here; what the
// door does itself is in services/socket/events.ts.
import { array, bool, int, json, nullable, object, oneOf, optional, record, text, time, uuid } from "./schema.ts";
import type { Infer, InferProps, Props, Rule } from "./schema.ts";
import { allActions } from "./index.ts";
import type { ActionName, Answer } from "./index.ts";
import { content } from "./messages.ts";
import { logEvent, openedRoom } from "./rooms.ts";
import { groupPresence, presenceEntry } from "./presence.ts";
import type { Access } from "./scopes.ts";

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

interface SocketEvent {
	readonly summary: string;
	/** Whoever is connected is signed in; a scope is one that their token must carry. */
	readonly access: Exclude<Access, "anyone">;
	/** The action that is called, as the socket's owner, and whose answer is acknowledged; without it the door itself does it. */
	readonly action?: ActionName;
	readonly payload: Props;
	/** Of an action's answer: the fields that the acknowledgement carries. */
	readonly result: Rule;
}

/** An event that is an action: it takes what the action takes, and answers what the action answers, or less of it. */
function calls<const A extends ActionName, const R extends Rule = Answers<A>>(
	action: A,
	access: Exclude<Access, "anyone">,
	result?: Answer<A> extends Infer<R> ? R : never,
): { summary: string; access: Exclude<Access, "anyone">; action: A; payload: Takes<A>; result: R } {
	const { summary, params, answer } = allActions[action];
	// Where no result is named, R is the answer's own rule.
	return { summary, access, action, payload: params as Takes<A>, result: result ?? (answer as Rule as R) };
}
type Takes<A extends ActionName> = (typeof allActions)[A]["params"];
type Answers<A extends ActionName> = (typeof allActions)[A]["answer"];

const group = { groupId: uuid };
const written = object({ room: roomName, seq: int(1) });
export const socketEvents = {
	"group:join": {
		summary: "Subscribe this socket to a group's room; with `after`, get what came since.",
		access: "signed-in",
		payload: { ...group, after: optional(int(0)) },
		result: openedRoom,
	},
	"group:leave": {
		summary: "Unsubscribe this socket; the membership stays.",
		access: "signed-in",
		payload: group,
		result: object({ room: roomName }),
	},
	"message:send": calls("messages.post", "signed-in", object({ room: text(1, 80), seq: int(1), id: uuid, at: time, replayed: bool })),
	"message:edit": {
		summary: "Change one's own message.",
		access: "signed-in",
		payload: { ...group, seq: int(1), content },
		result: written,
	},
	"message:delete": calls("messages.remove", "signed-in"),
	"message:react": calls("messages.react", "signed-in"),
	read: calls("messages.read", "signed-in"),
	typing: {
		summary: "Say that one is typing: at most once in two seconds per socket; may be lost.",
		access: "signed-in",
		payload: group,
		result: object({}),
	},
	"presence:subscribe": {
		summary: "Who is here now, then the changes as signals. Of a large group a sample is followed; `group` has the counts.",
		access: "signed-in",
		payload: { groupId: optional(uuid), profileIds: optional(array(uuid, { min: 1, max: 500 })) },
		result: object({ online: array(presenceEntry), group: optional(groupPresence) }),
	},
	"presence:set": {
		summary: "Say how one is.",
		access: "signed-in",
		payload: { status: oneOf("online", "away", "hidden") },
		result: object({}),
	},
	focus: {
		summary: "Say which room is being looked at on this socket, or that none is: of that room nothing is pushed.",
		access: "signed-in",
		payload: { room: nullable(roomName) },
		result: object({}),
	},
	resume: {
		summary: "What was missed in each room since the seq given, and a subscription to each room that has caught up.",
		access: "signed-in",
		payload: { rooms: record(int(0), { max: 200 }) },
		result: object({ rooms: record(json) }),
	},
	"token:refresh": {
		summary: "Live on with a newer access token of the same session's profile.",
		access: "signed-in",
		payload: { token: text(1, 8192) },
		result: object({ expiresIn: int(0) }),
	},
} as const satisfies Record<string, SocketEvent>;
export type SocketEventName = keyof typeof socketEvents;
/** The events that the door answers itself. */
export type OwnEventName = { [E in SocketEventName]: (typeof socketEvents)[E] extends { action: ActionName } ? never : E }[SocketEventName];
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
