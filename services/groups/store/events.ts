// How events of groups stand in the log.
import type { NewEvent } from "../../../mixins/log-carrier.ts";
import type { GroupEvent } from "../domain/group.ts";

/** One kind of them. */
export type EventOf<T extends GroupEvent["type"]> = Extract<GroupEvent, { type: T }>;

/** What the log keeps of an event besides the envelope. */
export function toRow(room: string, seq: number, event: GroupEvent): NewEvent {
	const { type, id, by, at, ...body } = event;
	return {
		room,
		seq,
		id,
		type,
		at,
		sender: by.profileId,
		senderName: by.displayName,
		clientId: event.type === "message" ? event.message.clientId : null,
		body,
	};
}

/**
 * The row with how many messages the log has had up to here. So what lies between two places is known without looking at it; a
 * log of before this was kept has none.
 */
export const counted = (row: NewEvent, messages: number | undefined): NewEvent =>
	messages === undefined ? row : { ...row, body: { ...row.body, messages } };

/** The event of a row. */
export function toGroupEvent({ type, id, at, sender, senderName, body: { messages: _messages, ...body } }: NewEvent): GroupEvent {
	return { ...body, type, id, at, by: { profileId: sender ?? "", displayName: senderName ?? "" } } as GroupEvent;
}
