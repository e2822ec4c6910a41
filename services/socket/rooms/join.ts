// Joining and leaving rooms. The answer goes out first and the room goes on after it, in one go: see opening.ts.
import { setTimeout as pause } from "node:timers/promises";
import { ROOM_PAGE } from "../../contracts/socket.ts";
import type { Run } from "../handler.ts";
import { ANSWER_BYTES, ask, fit, open, refused } from "./asking.ts";
import type { RoomName } from "./name.ts";
import { groupRoom, parseRoom } from "./name.ts";
import { Refusal } from "./opening.ts";

/**
 * So long (ms) a room waits after its answer before it goes on. Nothing is lost meanwhile, it is held back; but a client that
 * awaits the answer as a promise would otherwise hear the events right behind it first.
 */
export const TAKE_IN = 15;

export const groupJoin: Run<"group:join"> = async (asked, { groupId, after }, answer) => {
	const room = parseRoom(groupRoom(groupId)) as RoomName;
	const opening = open(asked, room, () => ask(asked, room, after, ROOM_PAGE));
	await opening.ready;
	try {
		const outcome = fit(opening, { events: ROOM_PAGE, bytes: ANSWER_BYTES });
		if (outcome instanceof Refusal) throw refused(outcome);
		answer(outcome);
		opening.answered();
		await pause(TAKE_IN);
	} finally {
		opening.settle();
	}
};

export const groupLeave: Run<"group:leave"> = async ({ gateway, link }, { groupId }, answer) => {
	const room = groupRoom(groupId);
	await gateway.gate.leave(link, room);
	answer({ room });
};
