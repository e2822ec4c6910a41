// What every owner of rooms has in common: the envelope of an event, what each kind of room's events carry in it, and the two
// actions by which doors open rooms and look how far they are. A room is a numbered log: `group:<id>`, `profile:<id>`.
import { isDeepStrictEqual } from "node:util";
import { memberRole } from "./groups.ts";
import { told } from "./notifications.ts";
import { array, bool, defaulted, int, json, nullable, object, optional, record, text, time, uuid } from "./schema.ts";
import type { All, Infer, InferProps, Props, Rule } from "./schema.ts";

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

/** After which of its `action`s a `member` event's profile hears no more of the room. */
const REMOVALS: ReadonlySet<string> = new Set(["left", "kicked", "banned"]);
export const isRemoval = (action: string | undefined): boolean => action !== undefined && REMOVALS.has(action);

/** What events of a `profile:` room carry, by their type. A row more, and services/presence/domain/notices.ts may send it. */
export const notices = {
	xp: { amount: int(), reason: text(0, 100), source: text(0, 200), total: int() },
	level: { level: int(0), previous: int(0) },
	notification: told,
} as const;
type Notices = typeof notices;
export type NoticeType = keyof Notices;
/** An event for a profile's room, without its envelope: tell them apart by `type`. */
export type NoticeBody = { [T in NoticeType]: { type: T; body: InferProps<Notices[T]> } }[NoticeType];

/** What every event has, whatever its type. */
const envelope = { room: text(1, 80), seq: int(1), type: text(1, 40), at: time, by: nullable(author) };

type AllOptional<P> = { readonly [K in keyof P]: P[K] & { readonly optional: true } };

/**
 * The fields of events of several kinds as those of one, each optional. Throws where a kind gives a field by another rule than one
 * before it, or than the envelope: which of the two held would be a matter of their order.
 */
export function fieldsOf<const K extends Readonly<Record<string, Props>>>(kinds: K): AllOptional<All<K[keyof K]>> {
	const fields: Record<string, Rule> = {};
	for (const [kind, props] of Object.entries(kinds)) {
		for (const [name, rule] of Object.entries(props)) {
			const here = optional(rule);
			if (Object.hasOwn(envelope, name) || !isDeepStrictEqual(fields[name] ?? here, here))
				throw new Error(`services/contracts/rooms.ts: "${kind}" gives the field "${name}", which has another rule already: rename it.`);
			fields[name] = here;
		}
	}
	// Every field of every kind is in it by now, and the rules of one name are the same.
	return fields as unknown as AllOptional<All<K[keyof K]>>;
}

/** One numbered event of a room's log; which of the optional fields it carries depends on `type`. */
export const logEvent = object({ ...envelope, ...fieldsOf({ "group:": groupEvent, ...notices }) });
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
