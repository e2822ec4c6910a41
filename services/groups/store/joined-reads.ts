// Groups and messages where the log is in the same database: one statement each, by joins.
import type { Db } from "../../../mixins/postgres.ts";
import { lastRow, listed, loadGroup, whereMine, wherePublic } from "./groups.ts";
import type { MessageRow } from "./messages.ts";
import { reactionsTo, toTarget } from "./messages.ts";
import type { GroupReads, ListedGroup } from "./reads.ts";
import type { Mark } from "./unread-memo.ts";
import { unreadMemo } from "./unread-memo.ts";

/**
 * Unread are the messages of others after the mark that are not deleted: all after the mark (each row of the log knows how many there
 * were up to it), less one's own, less those of others that are deleted; four looks into indexes, however many they are. A log from
 * before it was counted is counted here. Of a group `g`, its last row `l` and a member `m`.
 */
const lastOf =
	"select e.seq as head, (e.body ->> 'messages')::int as messages from room_events e where e.room = g.id order by e.seq desc limit 1";
const messagesAfter = "from room_events e where e.room = g.id and e.seq > m.read_seq and e.type = 'message'";
const unreadCount = `(case when m.read_seq >= l.head then 0 else
	coalesce(
		l.messages - case when m.read_seq = 0 then 0 else
			(select (e.body ->> 'messages')::int from room_events e where e.room = g.id and e.seq = m.read_seq) end,
		(select count(*) ${messagesAfter})
	)
	- (select count(*) ${messagesAfter} and e.sender = m.profile_id)
	- (select count(*) from message_states s where s.group_id = g.id and s.seq > m.read_seq and s.deleted_at is not null
		and s.sender <> m.profile_id)
	end)::int`;

const messageColumns = `e.seq, e.at, e.sender, e.sender_name as "senderName", e.body, s.content as "editedContent", s.edited_at as "editedAt", s.deleted_at as "deletedAt",
	${reactionsTo("e.room", "e.seq")} as reactions`;
const messages =
	"from room_events e left join message_states s on s.group_id = e.room and s.seq = e.seq where e.room = $1 and e.type = 'message'";

/** Of several groups of one profile, in one statement. */
const countAll = (db: Db) => async (profileId: string, marks: readonly Mark[]) => {
	const rows = await db.query<{ id: string; unread: number }>(
		`select g.id, ${unreadCount} as unread
		from unnest($2::uuid[], $3::bigint[]) as g (id, read_seq) cross join lateral (select $1::uuid as profile_id, g.read_seq) m
		cross join lateral (${lastOf}) l`,
		[profileId, marks.map(({ id }) => id), marks.map(({ readSeq }) => readSeq)],
		"unread-in",
	);
	return new Map(rows.map(({ id, unread }) => [id, unread]));
};

export const joinedReads = (db: Db): GroupReads => joined(db, unreadMemo(countAll(db)));

const joined = (db: Db, unreadIn: ReturnType<typeof unreadMemo>): GroupReads => ({
	async load(groupId) {
		const group = await loadGroup(db, groupId);
		if (!group) return null;
		const [counted] = await db.query<{ messages: number }>(
			`select coalesce(
				(select (body ->> 'messages')::int from room_events where room = $1 and seq = $2),
				(select count(*)::int from room_events where room = $1 and seq <= $2 and type = 'message')
			) as messages`,
			[groupId, group.head],
			"group-messages",
		);
		return { ...group, messages: counted?.messages ?? 0 };
	},

	async groupsOf(profileId, before, limit) {
		const groups = await db.query<Omit<ListedGroup, "unread"> & { readSeq: number }>(
			`select ${listed}, ${lastRow} as head, m.role, m.muted_until as "mutedUntil", m.read_seq as "readSeq" ${whereMine()}`,
			[profileId, before, limit],
			"groups-mine",
		);
		const unread = await unreadIn(profileId, groups);
		return groups.map(({ readSeq: _readSeq, ...group }) => ({ ...group, unread: unread.get(group.id) ?? 0 }));
	},

	publicGroups: (profileId, before, limit) =>
		db.query<ListedGroup>(`select ${listed}, ${lastRow} as head, null as role, null as "mutedUntil", 0 as unread ${wherePublic}`, [
			profileId,
			before,
			limit,
		]),

	async countUnread(groupId, profileId, readSeq) {
		const [row] = await db.query<{ unread: number }>(
			`select ${unreadCount} as unread
			from (select $1::uuid as id) g cross join lateral (${lastOf}) l, (select $2::uuid as profile_id, $3::bigint as read_seq) m`,
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

	messagesAt: (viewer, places) =>
		db.query<MessageRow & { groupId: string }>(
			`select e.room as "groupId", ${messageColumns} from unnest($1::uuid[], $3::bigint[]) as k (room, seq)
			join room_events e on e.room = k.room and e.seq = k.seq left join message_states s on s.group_id = e.room and s.seq = e.seq
			where e.type = 'message'`,
			[places.map(({ groupId }) => groupId), viewer, places.map(({ seq }) => seq)],
			"messages-at",
		),

	async findTarget(groupId, seq) {
		const [row] = await db.query<Pick<MessageRow, "seq" | "sender" | "deletedAt" | "body">>(
			`select e.seq, e.sender, e.body, s.deleted_at as "deletedAt" ${messages} and e.seq = $2`,
			[groupId, seq],
			"message-target",
		);
		return row && toTarget(row);
	},
});
