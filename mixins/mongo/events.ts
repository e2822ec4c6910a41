// The documents of a log in MongoDB: an event with what is still to come of it.
import type { AnyFact } from "../../services/contracts/index.ts";
import type { Entry, NewEvent } from "../log-carrier.ts";
import { CLIENT_ID, FENCE } from "../log-carrier.ts";
import type { Index } from "./collection.ts";
import type { Collection } from "./driver.ts";

/** An event as it is stored. The fields after `body` are there until all that comes of it is done. */
export interface EventDocument<Deed> extends Omit<NewEvent, "at" | "clientId"> {
	_id: string;
	/** A time of BSON: it is looked for by what is older than a moment. */
	at: Date;
	/** Left out where there is none, so that the index holds those that there are. */
	clientId?: string;
	facts?: readonly AnyFact[];
	deeds?: readonly Deed[];
	pending?: true;
	/** Stays for as long as a key may come again. */
	once?: string;
	/** Its text was deleted. */
	erased?: true;
	/** By what the message is found, and its place among what is (words.ts). */
	words?: readonly string[];
	foundAt?: Date;
}

/** Asks the collection again while the server is away, for a while; then it says "not now". */
export type Ask<Deed> = <R>(question: (events: Collection<EventDocument<Deed>>) => Promise<R>) => Promise<R>;

/** The index that a name used up once runs into. */
export const ONCE = "room_events_once";
/** The order of logs. */
export const inOrder = { room: 1, seq: 1 };

export const INDEXES: readonly Index[] = [
	{ keys: inOrder, options: { name: FENCE, unique: true } },
	{
		keys: { room: 1, sender: 1, clientId: 1 },
		options: { name: CLIENT_ID, unique: true, partialFilterExpression: { clientId: { $exists: true } } },
	},
	{ keys: { room: 1, sender: 1, seq: 1 }, options: { name: "room_events_sender", partialFilterExpression: { type: "message" } } },
	{ keys: { room: 1, seq: 1, sender: 1 }, options: { name: "room_events_erased", partialFilterExpression: { erased: true } } },
	{
		keys: { room: 1, words: 1, foundAt: -1, seq: -1 },
		options: { name: "room_events_words", partialFilterExpression: { type: "message" } },
	},
	{ keys: { once: 1 }, options: { name: ONCE, unique: true, partialFilterExpression: { once: { $exists: true } } } },
	{ keys: { at: 1 }, options: { name: "room_events_pending", partialFilterExpression: { pending: true } } },
];

export function toDocument<Deed>({ event, facts, deeds, once }: Entry<Deed>): EventDocument<Deed> {
	const { clientId, ...rest } = event;
	const document: EventDocument<Deed> = {
		_id: `${event.room} ${event.seq} ${event.id}`,
		...{ ...rest, at: new Date(event.at) },
		...{ facts, deeds, pending: true },
	};
	if (clientId !== null) document.clientId = clientId;
	if (once !== undefined) document.once = once;
	return document;
}

export const toEvent = ({ room, seq, id, type, at, sender, senderName, clientId, body }: EventDocument<unknown>): NewEvent => ({
	...{ room, seq, id, type, at: at.toISOString(), sender, senderName, clientId: clientId ?? null, body },
});
export const toEntry = <Deed>(document: EventDocument<Deed>): Entry<Deed> => ({
	event: toEvent(document),
	facts: document.facts ?? [],
	deeds: document.deeds ?? [],
});
