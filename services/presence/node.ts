// What the services of this node share: its database, its room log, and who is here.
import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { batched } from "../../mixins/batch.ts";
import type { Db } from "../../mixins/postgres.ts";
import { perBroker } from "../../mixins/per-broker.ts";
import { database } from "../../mixins/postgres.ts";
import { redisOf } from "../../mixins/redis/redis.ts";
import { broadcast } from "../../mixins/signals.ts";
import { RoomLog } from "../../mixins/room-log.ts";
import { PostgresLog } from "../../mixins/log-carrier.ts";
import { apartOf } from "./book/apart.ts";
import type { PresenceBook } from "./book/book.ts";
import { presenceWork } from "./broadcast/work.ts";
import { GATHER } from "./domain/presence.ts";
import type { Seen } from "./domain/presence.ts";
import { MemoryBook } from "./book/memory-book.ts";
import { RedisBook } from "./book/redis-book.ts";
import { findSeen, saveSeen } from "./store/seen.ts";

/** News that could not be had or told are asked for again after so long (ms). */
const AGAIN = 1_000;

/** Telling waits so long (ms) for the store: who asks about somebody that just went is answered from there. */
const STORED_WITHIN = 500;

export interface PresenceNode {
	db: Db;
	/** The profiles' rooms: where they are stored, and what doors hear of them. */
	carrier: PostgresLog;
	log: RoomLog;
	/** How far a profile's room is. A crowd that comes back costs a few questions, not one for each. */
	headOf(profileId: string): Promise<number>;
	book: PresenceBook;
	/** What is remembered of profiles that are not here; those never seen are left out. */
	remembered(profileIds: readonly string[]): Promise<Map<string, Omit<Seen, "profileId">>>;
	/** From whom a profile is apart, because one has blocked the other. */
	apartFrom(profileId: string): Promise<ReadonlySet<string>>;
	/** Something changed: tell the doors soon. */
	stir(): void;
	/** Begins the telling. */
	start(): void;
	/** Ends the telling; remembers who is here now. */
	stop(): Promise<void>;
}

function make(broker: ServiceBroker): PresenceNode {
	const db = database("presence");
	presenceWork.need(broker);
	const carrier = new PostgresLog(db);
	const redis = redisOf(broker);
	const book: PresenceBook = redis ? new RedisBook(broker, redis) : new MemoryBook();
	let timer: NodeJS.Timeout | undefined;
	let dueAt = Number.POSITIVE_INFINITY;
	let stopped = false;
	let saving: Promise<void> = Promise.resolve();
	let telling: Promise<void> = Promise.resolve();
	/** What the store has not taken yet, the latest of each profile. */
	const unsaved = new Map<string, Seen>();

	const save = async (): Promise<void> => {
		const rows = [...unsaved.values()];
		if (rows.length === 0) return;
		try {
			await saveSeen(db, rows);
			for (const row of rows) if (unsaved.get(row.profileId) === row) unsaved.delete(row.profileId);
		} catch (error) {
			broker.logger.warn("When people were seen could not be stored; it is tried again.", { error: String(error) });
			at(Date.now() + 1_000);
		}
	};
	const remember = (seen: Seen[]): void => {
		for (const row of seen) unsaved.set(row.profileId, row);
		saving = saving.then(save);
	};
	const tell = async (): Promise<void> => {
		timer = undefined;
		dueAt = Number.POSITIVE_INFINITY;
		let due: number | undefined;
		try {
			const news = await book.news();
			remember(news?.seen ?? []);
			if (news) {
				const { number, changed, more } = news;
				if (changed.length > 0) await broadcast(broker, "presence.changed", { number, profiles: changed });
				await Promise.race([saving, pause(STORED_WITHIN, undefined, { ref: false })]);
				await book.told(news);
				if (more) due = Date.now();
			}
			due ??= book.nextDue();
		} catch (error) {
			broker.logger.debug("Who is here could not be told; it is tried again.", { error: String(error) });
			due = Date.now() + AGAIN;
		}
		if (due !== undefined) at(due);
	};
	const at = (time: number): void => {
		if (stopped || time >= dueAt) return;
		clearTimeout(timer);
		dueAt = time;
		// One after another: who is stirred while it tells, tells again after it.
		timer = setTimeout(
			() => {
				telling = telling.then(tell);
			},
			Math.max(1, time - Date.now()),
		);
		timer.unref();
	};
	const apart = batched((ids) => apartOf(broker, db, ids));
	const head = batched((keys) => carrier.heads(keys));
	return {
		db,
		carrier,
		headOf: async (profileId) => (await head(profileId)) ?? 0,
		log: new RoomLog(carrier, "profile", broker),
		book,
		async remembered(profileIds) {
			const stored = await findSeen(db, profileIds);
			for (const id of profileIds) {
				const row = unsaved.get(id);
				if (row) stored.set(id, row);
			}
			return stored;
		},
		apartFrom: async (profileId) => (await apart(profileId)) ?? new Set(),
		stir: () => at(Date.now() + GATHER),
		start() {
			const due = book.nextDue();
			if (due !== undefined) at(due);
		},
		async stop() {
			stopped = true;
			clearTimeout(timer);
			await telling;
			remember(await book.leaving().catch(() => []));
			await saving;
		},
	};
}

export const presenceNode = perBroker(make);
