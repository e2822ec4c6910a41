// The profile's own room, which every socket hears without asking.
import type { Gateway } from "../gateway.ts";
import type { SocketLink } from "../link.ts";
import { ask } from "./asking.ts";
import type { RoomName } from "./name.ts";
import { parseRoom, profileRoom } from "./name.ts";
import { Refusal } from "./opening.ts";

/** After a connect the profile's room waits so long (ms) for the client's `resume` before it goes live by itself. */
const RESUME_GRACE = 200;

/**
 * Opens it. It waits a moment for the client to say how far it is,
 * so that what comes in between is not heard before what was missed.
 */
export async function openOwnRoom(gateway: Gateway, link: SocketLink, requestId: string): Promise<void> {
	const room = parseRoom(profileRoom(link.profileId)) as RoomName;
	for (let pause = 250; ; pause = Math.min(8_000, pause * 2)) {
		const opening = gateway.gate.open(link, room.name, () => ask({ gateway, link, requestId }, room, undefined, 1));
		await Promise.all([opening.ready, moment(link, pause === 250 ? RESUME_GRACE : 0)]);
		const outcome = opening.take();
		opening.settle();
		if (!(outcome instanceof Refusal) || outcome.final || !gateway.links.has(link) || gateway.gate.has(link, room.name)) return;
		gateway.broker.logger.warn("A profile's room could not be opened at connect; trying again.", {
			requestId,
			error: String(outcome.error),
		});
		await moment(link, pause);
	}
}

/** So long, or until the client resumes. */
function moment(link: SocketLink, ms: number): Promise<void> {
	return new Promise((resolve) => {
		const over = (): void => {
			clearTimeout(timer);
			link.onResume = undefined;
			resolve();
		};
		const timer = setTimeout(over, ms);
		link.onResume = over;
	});
}
