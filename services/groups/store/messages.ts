// What became of messages: edits, deletions, reactions.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Message } from "../../contracts/messages.ts";
import type { MessageBody } from "../domain/group.ts";
import type { Target } from "../domain/messages.ts";
import type { EventOf } from "./events.ts";

type Reactions = Message["reactions"];

/** A message of the log with what became of it. */
export interface MessageRow {
	seq: number;
	at: string;
	sender: string;
	senderName: string;
	body: { message: Omit<MessageBody, "content"> & { content: string | null } };
	editedContent: string | null;
	editedAt: string | null;
	deletedAt: string | null;
	reactions: Reactions | null;
}

export const toTarget = ({ seq, sender, deletedAt, body }: Pick<MessageRow, "seq" | "sender" | "deletedAt" | "body">): Target => ({
	...{ seq, senderId: sender, deletedAt },
	attachments: body.message.attachments?.map(({ id }) => id) ?? [],
});

/** The reactions to a message, $2 being who looks. */
export const reactionsTo = (group: string, seq: string) => `(
	select json_agg(json_build_object('emoji', r.emoji, 'count', r.count, 'mine', r.mine) order by r.first, r.emoji) from (
		select emoji, count(*)::int as count, bool_or(profile_id = $2::uuid) as mine, min(at) as first
		from reactions where group_id = ${group} and seq = ${seq} group by emoji
	) r)`;

/** The emoji that a message carries, each with whether this profile's is among them. */
export async function standingReactions(db: Queryable, groupId: string, seq: number, profileId: string): Promise<Map<string, boolean>> {
	const rows = await db.query<{ emoji: string; mine: boolean }>(
		"select emoji, bool_or(profile_id = $3) as mine from reactions where group_id = $1 and seq = $2 group by emoji",
		[groupId, seq, profileId],
		"reactions-standing",
	);
	return new Map(rows.map(({ emoji, mine }) => [emoji, mine]));
}

/** The reactions to a message as it shows them to a profile. */
export async function reactionsOf(db: Queryable, groupId: string, seq: number, viewer: string): Promise<Reactions> {
	const [row] = await db.query<{ reactions: Reactions | null }>(
		`select ${reactionsTo("$1::uuid", "$3::bigint")} as reactions`,
		[groupId, viewer, seq],
		"reactions-of",
	);
	return row?.reactions ?? [];
}

export async function writeEdit(tx: Tx, groupId: string, event: EventOf<"edited">): Promise<void> {
	await tx.query(
		`insert into message_states (group_id, seq, content, edited_at) values ($1, $2, $3, $4)
		on conflict (group_id, seq) do update set content = excluded.content, edited_at = excluded.edited_at`,
		[groupId, event.target, event.content, event.editedAt],
	);
}

export async function writeDeletion(tx: Tx, groupId: string, event: EventOf<"deleted">): Promise<void> {
	await tx.query(
		// Whose it was is known here only where the log is here, too; and asked only there (joined-reads.ts).
		`insert into message_states (group_id, seq, content, deleted_at, sender)
		values ($1, $2, null, $3, (select sender from room_events where room = $1 and seq = $2))
		on conflict (group_id, seq) do update set content = null, deleted_at = excluded.deleted_at, sender = excluded.sender`,
		[groupId, event.target, event.deletedAt],
	);
	await tx.query("delete from reactions where group_id = $1 and seq = $2", [groupId, event.target]);
}

export async function writeReaction(tx: Tx, groupId: string, event: EventOf<"reacted">): Promise<void> {
	if (event.added) {
		await tx.query("insert into reactions (group_id, seq, emoji, profile_id, at) values ($1, $2, $3, $4, $5) on conflict do nothing", [
			groupId,
			event.target,
			event.emoji,
			event.profileId,
			event.at,
		]);
	} else {
		await tx.query("delete from reactions where group_id = $1 and seq = $2 and emoji = $3 and profile_id = $4", [
			groupId,
			event.target,
			event.emoji,
			event.profileId,
		]);
	}
}
