// What the services of this node share: its database, its room log, and who is here.
import type { ServiceBroker } from "moleculer";
import type { Db } from "../../mixins/postgres.ts";
import { database } from "../../mixins/postgres.ts";
import { RoomLog } from "../../mixins/room-log.ts";
import { Presence } from "./domain/presence.ts";
import type { Seen } from "./domain/presence.ts";
import { saveSeen } from "./store.ts";

/** Changes are gathered for so long (ms) before they are told: a crowd that comes is one signal. */
const GATHER = 100;

export interface PresenceNode {
	db: Db;
	log: RoomLog;
	presence: Presence;
	/** Something changed: tell the doors soon. */
	stir(): void;
	/** Ends the telling; remembers who is here now. */
	stop(): Promise<void>;
}

function make(broker: ServiceBroker): PresenceNode {
	const db = database("presence");
	const presence = new Presence();
	let timer: NodeJS.Timeout | undefined;
	let dueAt = Number.POSITIVE_INFINITY;
	let stopped = false;
	let saving: Promise<void> = Promise.resolve();
	/** What the store would not take; tried again with the next news. */
	let unsaved: Seen[] = [];

	const save = async (seen: Seen[]): Promise<void> => {
		const rows = [...new Map([...unsaved, ...seen].map((row) => [row.profileId, row])).values()];
		unsaved = [];
		if (rows.length === 0) return;
		try {
			await saveSeen(db, rows);
		} catch (error) {
			unsaved = rows;
			broker.logger.warn("When people were seen could not be stored; it is tried again.", { error: String(error) });
			at(Date.now() + 1_000);
		}
	};
	const tell = (): void => {
		timer = undefined;
		dueAt = Number.POSITIVE_INFINITY;
		const { changed, seen } = presence.news(new Date());
		if (changed.length > 0) void broker.broadcast("presence.changed", { profiles: changed });
		saving = saving.then(() => save(seen));
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
		log: new RoomLog(db, "profile", broker),
		presence,
		stir: () => at(Date.now() + GATHER),
		async stop() {
			stopped = true;
			clearTimeout(timer);
			saving = saving.then(() => save(presence.everybody(new Date())));
			await saving;
		},
	};
}

const nodes = new WeakMap<ServiceBroker, PresenceNode>();

export function presenceNode(broker: ServiceBroker): PresenceNode {
	let node = nodes.get(broker);
	if (!node) {
		node = make(broker);
		nodes.set(broker, node);
	}
	return node;
}
