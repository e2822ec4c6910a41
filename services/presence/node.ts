// What the services of this node share: its database, its room log, and who is here.
import type { ServiceBroker } from "moleculer";
import type { Db } from "../../mixins/postgres.ts";
import { perBroker } from "../../mixins/per-broker.ts";
import { database } from "../../mixins/postgres.ts";
import { RoomLog } from "../../mixins/room-log.ts";
import { PostgresLog } from "../../mixins/log-carrier.ts";
import { Presence } from "./domain/presence.ts";
import type { Seen } from "./domain/presence.ts";
import { findSeen, saveSeen } from "./store.ts";

/** Changes are gathered for so long (ms) before they are told: a crowd that comes is one signal. */
const GATHER = 100;

export interface PresenceNode {
	db: Db;
	/** The profiles' rooms: where they are stored, and what doors hear of them. */
	carrier: PostgresLog;
	log: RoomLog;
	presence: Presence;
	/** What is remembered of profiles that are not here; those never seen are left out. */
	remembered(profileIds: readonly string[]): Promise<Map<string, Omit<Seen, "profileId">>>;
	/** Something changed: tell the doors soon. */
	stir(): void;
	/** Ends the telling; remembers who is here now. */
	stop(): Promise<void>;
}

function make(broker: ServiceBroker): PresenceNode {
	const db = database("presence");
	const carrier = new PostgresLog(db);
	const presence = new Presence();
	let timer: NodeJS.Timeout | undefined;
	let dueAt = Number.POSITIVE_INFINITY;
	let stopped = false;
	let saving: Promise<void> = Promise.resolve();
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
	const tell = (): void => {
		timer = undefined;
		dueAt = Number.POSITIVE_INFINITY;
		const { changed, seen } = presence.news(new Date());
		if (changed.length > 0) void broker.broadcast("presence.changed", { profiles: changed });
		remember(seen);
		const due = presence.nextDue();
		if (due !== undefined) at(due);
	};
	const at = (time: number): void => {
		if (stopped || time >= dueAt) return;
		clearTimeout(timer);
		dueAt = time;
		timer = setTimeout(tell, Math.max(1, time - Date.now()));
		timer.unref();
	};
	return {
		db,
		carrier,
		log: new RoomLog(carrier, "profile", broker),
		presence,
		async remembered(profileIds) {
			const stored = await findSeen(db, profileIds);
			for (const id of profileIds) {
				const row = unsaved.get(id);
				if (row) stored.set(id, row);
			}
			return stored;
		},
		stir: () => at(Date.now() + GATHER),
		async stop() {
			stopped = true;
			clearTimeout(timer);
			remember(presence.everybody(new Date()));
			await saving;
		},
	};
}

export const presenceNode = perBroker(make);
