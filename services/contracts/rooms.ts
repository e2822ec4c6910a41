// What every owner of rooms has in common: the envelope of an event, what each kind of room's events carry in it, and the two
// actions by which doors open rooms and look how far they are. A room is a numbered log: `group:<id>`, `profile:<id>`.
import { memberRole } from "./groups.ts";
import { array, bool, defaulted, int, json, nullable, object, optional, record, text, time, uuid } from "./schema.ts";
import type { Infer, InferProps, Props } from "./schema.ts";

export const author = object({ profileId: uuid, displayName: text(1, 60) });

/** What events of a `group:` room carry, by their type (wire.md, "The log"). */
const groupEvent = {
	message: json,
	target: int(1),
	content: nullable(text(0, 4000)),
	editedAt: time,
	deletedAt: time,
	action: text(1, 40),
	profileId: uuid,
	displayName: text(1, 60),
	role: memberRole,
	group: record(json),
	emoji: text(1, 32),
	added: bool,
};

/** What events of a `profile:` room carry, by their type. A row more, and services/presence/domain/notices.ts may send it. */
export const notices = {
	xp: { amount: int(), reason: text(0, 100), source: text(0, 200), total: int() },
	level: { level: int(0), previous: int(0) },
} as const;
type Notices = typeof notices;
export type NoticeType = keyof Notices;
/** An event for a profile's room, without its envelope: tell them apart by `type`. */
export type NoticeBody = { [T in NoticeType]: { type: T; body: InferProps<Notices[T]> } }[NoticeType];

type AllOptional<P> = { readonly [K in keyof P]: P[K] & { readonly optional: true } };
const allOptional = <const P extends Props>(props: P): AllOptional<P> =>
	Object.fromEntries(Object.entries(props).map(([name, rule]) => [name, optional(rule)])) as AllOptional<P>;

/** One numbered event of a room's log; which of the optional fields it carries depends on `type`. */
export const logEvent = object({
	room: text(1, 80),
	seq: int(1),
	type: text(1, 40),
	at: time,
	by: nullable(author),
	...allOptional(groupEvent),
	...allOptional(notices.xp),
	...allOptional(notices.level),
});
export type LogEvent = Infer<typeof logEvent>;
export const openedRoom = object({ room: text(1, 80), head: int(0), events: array(logEvent), more: optional(bool) });
export type OpenedRoom = Infer<typeof openedRoom>;

/** What an owner of rooms offers the doors: `"messages.openRoom": roomActions.openRoom`. They are listed in socket.ts. */
export const roomActions = {
	openRoom: {
		summary: "Doors: may the caller read this room, and what has happened in it since `after`; a page of `limit` events.",
		params: { key: uuid, after: optional(int(0)), limit: defaulted(int(1, 500), 500) },
		answer: openedRoom,
		repeatable: true,
	},
	heads: {
		summary: "Doors: how far these rooms are, in the order asked; 0 where there is none. They may have missed something.",
		params: { keys: array(uuid, { min: 1, max: 500 }) },
		answer: object({ heads: array(int(0)) }),
		repeatable: true,
	},
} as const;
