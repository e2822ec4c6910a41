// Groups and messages where the log is in the same database: one statement each, by joins.
import type { Db } from "../../../mixins/postgres.ts";
import type { Target } from "../domain/messages.ts";
import { lastRow, listed, loadGroup, whereMine, wherePublic } from "./groups.ts";
import type { MessageRow } from "./messages.ts";
import { reactionsTo } from "./messages.ts";
import type { GroupReads, ListedGroup } from "./reads.ts";

const unreadCount = `(select count(*)::int from room_events e
	where e.room = g.id and e.seq > m.read_seq and e.type = 'message' and e.sender <> m.profile_id
		and not exists (select 1 from message_states s where s.group_id = e.room and s.seq = e.seq and s.deleted_at is not null))`;

const messageColumns = `e.seq, e.at, e.sender, e.sender_name as "senderName", e.body, s.content as "editedContent", s.edited_at as "editedAt", s.deleted_at as "deletedAt",
	${reactionsTo("e.room", "e.seq")} as reactions`;
const messages =
	"from room_events e left join message_states s on s.group_id = e.room and s.seq = e.seq where e.room = $1 and e.type = 'message'";

export const joinedReads = (db: Db): GroupReads => ({
	load: (groupId) => loadGroup(db, groupId),

	groupsOf: (profileId, before, limit) =>
		db.query<ListedGroup>(
			`select ${listed}, ${lastRow} as head, m.role, m.muted_until as "mutedUntil", ${unreadCount} as unread ${whereMine}`,
			[profileId, before, limit],
		),

	publicGroups: (profileId, before, limit) =>
		db.query<ListedGroup>(`select ${listed}, ${lastRow} as head, null as role, null as "mutedUntil", 0 as unread ${wherePublic}`, [
			profileId,
			before,
			limit,
		]),

	async countUnread(groupId, profileId, readSeq) {
		const [row] = await db.query<{ unread: number }>(
			`select ${unreadCount} as unread from (select $1::uuid as id) g, (select $2::uuid as profile_id, $3::bigint as read_seq) m`,
			[groupId, profileId, readSeq],
			"unread",
		);
		return row?.unread ?? 0;
	},

	/** By the index on (room, seq) at any depth. */
	messagesFrom(groupId, viewer, from, limit) {
		if ("after" in from) {
			const after = `select ${messageColumns} ${messages} and e.seq > $3 order by e.seq limit $4`;
			return db.query<MessageRow>(after, [groupId, viewer, from.after, limit], "messages-after");
		}
		const before = `select ${messageColumns} ${messages} and e.seq < $3 order by e.seq desc limit $4`;
		return db.query<MessageRow>(before, [groupId, viewer, from.before ?? Number.MAX_SAFE_INTEGER, limit], "messages-before");
	},

	async findMessage(groupId, viewer, seq) {
		const [row] = await db.query<MessageRow>(`select ${messageColumns} ${messages} and e.seq = $3`, [groupId, viewer, seq], "message-show");
		return row;
	},

	async findTarget(groupId, seq) {
		const [row] = await db.query<Target>(
			`select e.seq, e.sender as "senderId", s.deleted_at as "deletedAt" ${messages} and e.seq = $2`,
			[groupId, seq],
			"message-target",
		);
		return row;
	},
});
