// What clients see of what is kept: messages in their present state, and events with links to their pictures, which are made anew each
// time they are shown.
import type { ServiceBroker } from "moleculer";
import type { NewEvent } from "../../../mixins/log-carrier.ts";
import { picture } from "../../../mixins/pictures.ts";
import type { Message } from "../../contracts/messages.ts";
import type { LogEvent } from "../../contracts/rooms.ts";
import type { Described, Upload } from "../../contracts/uploads.ts";
import type { GroupsNode } from "../actor/actors.ts";
import { facesOf } from "../people/faces.ts";
import type { Faces } from "../people/faces.ts";
import type { MessageBody } from "../domain/group.ts";
import type { MessageRow } from "../store/messages.ts";

const pictures = (broker: ServiceBroker, kept: readonly Described[]): Upload[] => {
	const now = new Date();
	return kept.map((one) => ({ ...picture(broker, one.id, { open: false }, now), ...one }));
};

/** A message as it was said: what its sender is answered, and what its event carries. */
export function showBody<B extends Partial<MessageBody>>(broker: ServiceBroker, { attachments, ...body }: B) {
	return { ...body, ...(attachments?.length ? { attachments: pictures(broker, attachments) } : {}) };
}

/** An event as clients get it: without what only the store counts. */
export const showEvent = (broker: ServiceBroker) => {
	return (event: LogEvent & { messages?: number }): LogEvent => {
		const { messages: _messages, ...shown } = event;
		const message = shown.message as Partial<MessageBody> | undefined;
		return message?.attachments ? { ...shown, message: showBody(broker, message) as LogEvent["message"] } : shown;
	};
};

/** What was answered when the message was first stored, whatever happened to it since. */
export function firstAnswer(broker: ServiceBroker, { body, seq, at, sender, senderName }: NewEvent) {
	const message = body.message as MessageBody & { content: string | null };
	const by = { profileId: sender as string, displayName: senderName as string };
	return { ...showBody(broker, message), content: message.content ?? "", seq, at, by, reactions: [] };
}

/** Messages in their present state, as clients see them: a member is called as they are called now, who has left as they were. */
export async function viewIn(
	{ read, db }: Pick<GroupsNode, "read" | "db">,
	broker: ServiceBroker,
	groupId: string,
	rows: readonly MessageRow[],
): Promise<Message[]> {
	const senders = rows.map(({ sender }) => sender);
	const [group, faces] = await Promise.all([read(groupId, ...senders), facesOf(db, broker, senders)]);
	return rows.map((row) => view(broker, row, group?.members.get(row.sender)?.displayName ?? row.senderName, faces));
}

export function view(broker: ServiceBroker, row: MessageRow, displayName: string, faces: Faces): Message {
	const { mentions, attachments, ...message } = row.body.message;
	const said = row.deletedAt ? {} : showBody(broker, { ...(mentions && { mentions }), ...(attachments && { attachments }) });
	const content = row.deletedAt ? null : row.editedAt ? row.editedContent : message.content;
	return {
		...message,
		...said,
		content,
		seq: row.seq,
		by: { profileId: row.sender, displayName, ...faces(row.sender) },
		at: row.at,
		...(row.editedAt ? { editedAt: row.editedAt } : {}),
		...(row.deletedAt ? { deletedAt: row.deletedAt } : {}),
		reactions: row.reactions ?? [],
	};
}
