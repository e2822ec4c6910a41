// Asking a room's owner for a socket, and what of the owner's answer fits into an answer to the client.
import { isProblem, problem } from "../../contracts/errors.ts";
import type { OpenedRoom } from "../../contracts/rooms.ts";
import type { Asked } from "../handler.ts";
import type { RoomName } from "./name.ts";
import { Refusal } from "./opening.ts";
import type { Opening } from "./opening.ts";

/** Bytes, about, of one answer: what does not fit says `more`. */
export const ANSWER_BYTES = 2_000_000;

/** Asks a room's owner as the socket's. Never rejects: a refusal is an answer. */
export async function ask(
	{ gateway, link, requestId }: Asked,
	{ owner, key }: RoomName,
	after: number | undefined,
	limit: number,
): Promise<OpenedRoom | Refusal> {
	try {
		const [opened] = await Promise.all([
			gateway.call(link, owner, { key, ...(after === undefined ? {} : { after }), limit }, requestId),
			gateway.apart.known(link.profileId),
		]);
		if (after !== undefined && after > opened.head) throw problem("seq-ahead", { head: opened.head });
		return opened;
	} catch (error) {
		return new Refusal(error, { final: isProblem(error) && [401, 403, 404, 410].includes(error.code) });
	}
}

/** Begins to open a room for a socket that may be in one more. */
export function open(asked: Asked, room: RoomName, run: () => Promise<OpenedRoom | Refusal>): Opening {
	const { gateway, link } = asked;
	if (!gateway.gate.has(link, room.name) && gateway.gate.count(link) >= gateway.limits.rooms) {
		throw problem("rate-limited", { detail: `A socket may be in ${gateway.limits.rooms} rooms.` });
	}
	return gateway.gate.open(link, room.name, run);
}

/** What a client is told of a refusal. */
export const refused = ({ error, evicted }: Refusal): unknown => (evicted ? problem(evicted) : error);

/** Cuts an answer to what is left of a budget, and takes it off. What was cut follows when the client asks again. */
export function fit(opening: Opening, left: { events: number; bytes: number }): OpenedRoom | Refusal {
	const outcome = opening.take();
	if (outcome instanceof Refusal) return outcome;
	let count = 0;
	for (const event of outcome.events) {
		const bytes = JSON.stringify(event).length;
		if (count >= left.events || (bytes > left.bytes && left.bytes < ANSWER_BYTES)) break;
		count++;
		left.bytes -= bytes;
	}
	left.events -= count;
	if (count === outcome.events.length) return outcome;
	const cut: OpenedRoom = { ...outcome, events: outcome.events.slice(0, count), more: true };
	opening.replace(cut);
	return cut;
}
