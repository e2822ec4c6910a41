// The numbered log of rooms, one mixin for every node that owns some: `groups` owns group:, `presence` owns profile:.
// A carrier stores it (log-carrier.ts); here it is read on from memory, opened for doors, and told to whoever listens.
import type { ServiceBroker } from "moleculer";
import type { LogEvent } from "../services/contracts/rooms.ts";
import type { LogCarrier, NewEvent } from "./log-carrier.ts";
import { natsOf } from "./nats.ts";
import { needsOf } from "./parts.ts";
import { roomBus } from "./rooms.ts";

/** How many events are kept in memory over all rooms, so that a short absence costs no query. */
const KEPT_EVENTS = 50_000;
const KEPT_PER_ROOM = 256;

export interface RoomLogOptions {
	/** What clients get of an event as it is kept, made each time it is shown: links that end are not for memory. */
	show?: (event: LogEvent) => LogEvent;
}

export class RoomLog {
	/** Where the log is stored. */
	readonly carrier: LogCarrier;
	readonly #kind: string;
	readonly #broker: ServiceBroker;
	readonly #show: (event: LogEvent) => LogEvent;
	/** The newest events of rooms, least recently used room first. */
	readonly #tails = new Map<string, LogEvent[]>();
	#kept = 0;

	/** @param kind the word before the colon of the room names, such as `group` */
	constructor(carrier: LogCarrier, kind: string, broker: ServiceBroker, { show = (event) => event }: RoomLogOptions = {}) {
		this.carrier = carrier;
		if (carrier.needs) needsOf(broker).push(carrier.needs);
		this.#kind = kind;
		this.#broker = broker;
		this.#show = show;
		// What was published while NATS was away reached nobody, and if nothing follows, nobody would ever notice.
		natsOf(broker)?.onReconnect(() => {
			for (const [key, tail] of this.#tails) roomBus(broker).remind(this.nameOf(key), tail.at(-1)?.seq ?? 0);
		});
	}

	nameOf(key: string): string {
		return `${this.#kind}:${key}`;
	}

	/** What is kept of a row; nearly what clients see of it. */
	toEvent(row: NewEvent): LogEvent {
		return {
			room: this.nameOf(row.room),
			seq: row.seq,
			type: row.type,
			at: row.at,
			by: row.sender ? { profileId: row.sender, displayName: row.senderName ?? "" } : null,
			...row.body,
		} as LogEvent;
	}

	/**
	 * Events after `after`, ascending, from memory or, further back, from the store. `head` is where the log is known to
	 * end: what another process wrote is not in this one's memory.
	 */
	async page(key: string, after: number, limit: number, head = 0): Promise<LogEvent[]> {
		const tail = this.#tails.get(key);
		const first = tail?.[0];
		const last = tail?.at(-1);
		if (tail && first && last && first.seq <= after + 1 && last.seq >= Math.min(head, after + limit)) {
			const from = after + 1 - first.seq;
			return tail.slice(from, from + limit).map(this.#show);
		}
		const rows = await this.carrier.page(key, after, limit);
		return rows.map((row) => this.#show(this.toEvent(row)));
	}

	/** The events of a page that ends at `head`, and whether more follow: what a door answers to join and resume. */
	async opened(
		key: string,
		head: number,
		after: number | undefined,
		limit: number,
	): Promise<{ room: string; head: number; events: LogEvent[]; more?: boolean }> {
		const room = this.nameOf(key);
		if (after === undefined || after >= head) return { room, head, events: [] };
		const events = (await this.page(key, after, limit, head)).filter((event) => event.seq <= head);
		const last = events.at(-1)?.seq ?? after;
		return last < head ? { room, head, events, more: true } : { room, head, events };
	}

	/** Tells everybody in the room what was just committed, and keeps it for those who were away for a moment. */
	publish(key: string, events: LogEvent[]): void {
		if (events.length === 0) return;
		this.#keep(key, events);
		roomBus(this.#broker).publish({ room: this.nameOf(key), events: events.map(this.#show) });
	}

	forget(key: string): void {
		this.#kept -= this.#tails.get(key)?.length ?? 0;
		this.#tails.delete(key);
	}

	forgetAll(which: (key: string) => boolean): void {
		for (const key of [...this.#tails.keys()]) if (which(key)) this.forget(key);
	}

	#keep(key: string, events: LogEvent[]): void {
		const tail = this.#tails.get(key) ?? [];
		this.#tails.delete(key);
		this.#kept -= tail.length;
		const last = tail.at(-1);
		const next = events[0];
		const continued = last && next && next.seq === last.seq + 1 ? tail : [];
		continued.push(...events);
		// Cut rarely: a slice at every message would copy the tail each time.
		const kept = continued.length > 2 * KEPT_PER_ROOM ? continued.slice(-KEPT_PER_ROOM) : continued;
		this.#tails.set(key, kept);
		this.#kept += kept.length;
		for (const [oldest] of this.#tails) {
			if (this.#kept <= KEPT_EVENTS || oldest === key) break;
			this.forget(oldest);
		}
	}
}
