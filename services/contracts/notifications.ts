// What the presence node offers of notifications: each profile's inbox, and how one wants to be told of what.
import { published } from "./contract.ts";
import { array, bool, defaulted, int, json, list, nullable, object, oneOf, optional, page, record, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

/** What a notification may be about. Preferences know all of them, also those that nothing tells of yet. */
export const kind = oneOf(
	"welcome",
	"verification",
	"invite",
	"mention",
	"reply",
	"message",
	"loan",
	"order",
	"points",
	"level",
	"achievement",
	"coupon",
	"report",
	"lowStock",
	"system",
);
export type Kind = Infer<typeof kind>;

const title = text(1, 200);
const body = text(0, 500);
export const notification = object({
	id: uuid,
	/** Of the event in the profile's room that told it last: the order of the inbox. */
	seq: int(1),
	kind,
	title,
	body,
	/** What it is about, by its ids. */
	data: record(json),
	/** How many things are in it: messages of one direct talk that nobody has read are one notification. */
	count: int(1),
	readAt: nullable(time),
	createdAt: time,
});
export type Notification = Infer<typeof notification>;

/**
 * What an event of type `notification` carries. `action`: `created`, `updated` (there is more in it), `read` or `deleted`; the last two
 * have nothing but the ids, and `id` besides where it is one.
 */
export const told = {
	action: text(1, 40),
	id: optional(uuid),
	ids: optional(array(uuid, { max: 500 })),
	kind: optional(kind),
	title: optional(title),
	body: optional(body),
	data: optional(record(json)),
	count: optional(int(1)),
	readAt: optional(nullable(time)),
	createdAt: optional(time),
};

const channels = { inApp: bool, email: bool, push: bool };
export type Channels = Infer<ReturnType<typeof object<typeof channels>>>;
const eachKind = <R>(rule: R) => Object.fromEntries(kind.values.map((name) => [name, rule])) as { readonly [K in Kind]: R };
/** An hour and minute of the day, by the clock on the wall: `22:30`. */
const wallTime = text(5, 5, { pattern: /^([01]\d|2[0-3]):[0-5]\d$/ });
const quietHours = nullable(object({ from: wallTime, to: wallTime }));
const digest = oneOf("off", "hourly", "daily");
export type Digest = Infer<typeof digest>;
const mutedGroups = array(uuid, { max: 1000 });
export const preferences = object({
	kinds: object(eachKind(object(channels))),
	quietHours,
	timeZone: text(1, 64),
	digest,
	mutedGroups,
	/** When mutes end, by group; those that are not named last. */
	mutedUntil: record(time),
});
export type Preferences = Infer<typeof preferences>;

const one = { notificationId: uuid };
const token = text(1, 1000);

export const actions = {
	...published({
		"notifications.list": {
			summary: "The caller's inbox, newest first; with `unread` what is not read.",
			params: { ...page, unread: defaulted(bool, false) },
			answer: list(notification),
			repeatable: true,
		},
		"notifications.unreadCount": {
			summary: "How many of the caller's notifications are not read.",
			params: {},
			answer: object({ count: int(0) }),
			repeatable: true,
		},
		"notifications.read": {
			summary: "A notification is read, on every device of the profile; what waits to be pushed or mailed of it is called off.",
			params: one,
			answer: notification,
			errors: ["not-found"],
			repeatable: true,
		},
		"notifications.readAll": {
			summary: "Everything in the caller's inbox is read.",
			params: {},
			answer: object({ read: int(0), count: int(0) }),
		},
		"notifications.remove": {
			summary: "Take a notification out of the caller's inbox.",
			params: one,
			answer: object({}),
			errors: ["not-found"],
		},
		"notifications.preferences": {
			summary: "By which channels the caller is told of what, when they are left in peace, and by whom.",
			params: {},
			answer: preferences,
			repeatable: true,
		},
		"notifications.savePreferences": {
			summary: "Change preferences; what is left out stays as it is. `timeZone: null` follows the account's again.",
			description:
				"A group that is not in `mutedGroups` any more is heard again; one that was muted until some time keeps that. Quiet hours hold back pushes and mails, not the inbox.",
			params: {
				kinds: optional(object(eachKind(optional(object({ inApp: optional(bool), email: optional(bool), push: optional(bool) }))))),
				quietHours: optional(quietHours),
				timeZone: optional(nullable(text(1, 64))),
				digest: optional(digest),
				mutedGroups: optional(mutedGroups),
				// As it was read: it is written by muting a group.
				mutedUntil: optional(record(time)),
			},
			answer: preferences,
			repeatable: true,
		},
		"notifications.subscription": {
			summary: "What the link at the end of a mail calls off, and whether those mails still come. Changes nothing.",
			params: { token },
			answer: object({ kinds: array(kind), email: bool }),
			errors: ["invalid-code"],
			repeatable: true,
		},
		"notifications.unsubscribe": {
			summary: "Call off the mails that the link names: one click (RFC 8058), nobody has to sign in. Twice is once.",
			params: { token, body: text(0, 10_000), headers: record(text(0, 1000)) },
			answer: object({ kinds: array(kind), email: bool }),
			errors: ["invalid-code"],
		},
	}),
};
