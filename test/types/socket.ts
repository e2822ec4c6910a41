// Socket events: what clients may say, what they hear back, what they hear. Checked by tsc alone; nothing here runs.
import type { ServerPayload, SocketEventName, SocketPayload, SocketResult } from "../../services/contracts/socket.ts";

const groupId = "0199c0de-0000-7000-8000-000000000001";

export const joined: SocketPayload<"group:join"> = { groupId };
export const sent: SocketPayload<"message:send"> = { groupId, clientId: "1", kind: "text", content: "hello" };
export const resumed: SocketPayload<"resume"> = { rooms: { [`group:${groupId}`]: 7 } };

// @ts-expect-error there is no such event
export const misnamed: SocketEventName = "group:jion";
// @ts-expect-error a field is missing
export const lacking: SocketPayload<"message:send"> = { groupId, kind: "text", content: "hello" };
// @ts-expect-error a kind that there is not
export const singing: SocketPayload<"message:send"> = { groupId, clientId: "1", kind: "song", content: "la" };
// @ts-expect-error a seq is a number
export const texted: SocketPayload<"resume"> = { rooms: { [`group:${groupId}`]: "7" } };
// @ts-expect-error the payload of another event
export const mistaken: SocketPayload<"typing"> = { room: `group:${groupId}` };

export function results(message: SocketResult<"message:send">, join: SocketResult<"group:join">): void {
	const seq: number = message.seq;
	// @ts-expect-error the result does not repeat the text
	message.content;
	// @ts-expect-error `more` may be missing
	const more: boolean = join.more;
	console.log(seq, more);
}

export const goodbye: ServerPayload<"bye"> = { reason: "drain", reconnectAfterMs: 100 };
// @ts-expect-error a reason that there is not
export const rude: ServerPayload<"bye"> = { reason: "because" };
// @ts-expect-error frames have a room
export const roomless: ServerPayload<"events"> = { events: [] };
// @ts-expect-error there is no such event
export type Unknown = ServerPayload<"shout">;
