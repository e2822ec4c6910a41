// What follows a commit of a group: its state goes on, its room hears what happened, and whoever was removed leaves the room.
import type { ServiceBroker } from "moleculer";
import type { RoomLog } from "../../../mixins/room-log.ts";
import { roomBus } from "../../../mixins/rooms.ts";
import type { EvictionReason } from "../../../mixins/rooms.ts";
import type { LogEvent } from "../../contracts/rooms.ts";
import type { GroupCommit, GroupShare } from "./commit.ts";
import type { GroupEvent, GroupState } from "../domain/group.ts";
import { evolve } from "../domain/group.ts";
import { isRemoval } from "../../contracts/rooms.ts";
import { toRow } from "../store/events.ts";

/** Every event of a portion with its number. */
function numbered(entry: GroupShare): { seq: number; event: GroupEvent; decision: GroupCommit }[] {
	let seq = entry.first;
	return entry.decisions.flatMap((decision) => decision.events.map((event) => ({ seq: seq++, event, decision })));
}

type Later = (tell: () => void, options?: { now?: boolean }) => void;

/** After the commit: the state goes on. The room hears it a moment later, and whoever was removed hears nothing after it. */
export function committed(broker: ServiceBroker, log: RoomLog, entry: GroupShare, later: Later): GroupState | null {
	let state = entry.state;
	const room = log.nameOf(entry.key);
	let frame: LogEvent[] = [];
	const flush = () => {
		if (frame.length === 0) return;
		const events = frame;
		frame = [];
		later(() => log.publish(entry.key, events));
	};
	// Whoever asked for it must be able to say at once: from now on they hear nothing. So it is told before they are answered.
	const evict = (profileId: string | null, reason: EvictionReason, seq: number) => {
		flush();
		later(() => roomBus(broker).evict(room, profileId, reason, seq), { now: true });
	};
	for (const { seq, event } of numbered(entry)) {
		const before = state;
		state = evolve(state, entry.key, seq, event);
		frame.push(log.toEvent(toRow(entry.key, seq, event)));
		if (event.type === "member" && isRemoval(event.action)) {
			evict(event.profileId, before?.isPublic ? "not-member" : "not-found", seq);
		} else if (event.type === "group" && event.action === "deleted") {
			evict(null, "not-found", seq);
			later(() => log.forget(entry.key));
		} else if (event.type === "deleted") {
			// A deleted text is gone from the log too: what is kept in memory must not bring it back.
			later(() => log.forget(entry.key));
		}
	}
	flush();
	return state;
}
