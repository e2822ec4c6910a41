// Groups and messages where the log is in MongoDB, in two steps: the log says what was said, the tables what became of it.
import type { NewEvent } from "../../../mixins/log-carrier.ts";
import type { MongoLog } from "../../../mixins/mongo/log.ts";
import type { Db } from "../../../mixins/postgres.ts";
import { listed, loadGroup, whereMine, wherePublic } from "./groups.ts";
import type { MessageRow } from "./messages.ts";
import { reactionsTo, toTarget } from "./messages.ts";
import type { Deed } from "./projection.ts";
import type { GroupReads, ListedGroup } from "./reads.ts";

type Listed = Omit<ListedGroup, "head" | "unread">;
type Present = Pick<MessageRow, "editedContent" | "editedAt" | "deletedAt" | "reactions">;

const untouched: Present = { editedContent: null, editedAt: null, deletedAt: null, reactions: null };

export function twoStepReads(db: Db, log: MongoLog<Deed>): GroupReads {
	/** What edits, a deletion and reactions made of messages, in the order given. */
	const present = async (viewer: string, events: readonly NewEvent[]): Promise<(MessageRow & { groupId: string })[]> => {
		if (events.length === 0) return [];
		const rows = await db.query<Present & { room: string; seq: number }>(
			`select k.room, k.seq, s.content as "editedContent", s.edited_at as "editedAt", s.deleted_at as "deletedAt", ${reactionsTo("k.room", "k.seq")} as reactions
			from unnest($1::uuid[], $3::bigint[]) as k (room, seq) left join message_states s on s.group_id = k.room and s.seq = k.seq`,
			[events.map(({ room }) => room), viewer, events.map(({ seq }) => seq)],
			"messages-present",
		);
		const states = new Map(rows.map(({ room, seq, ...state }) => [`${room} ${seq}`, state]));
		return events.map(({ room, seq, at, sender, senderName, body }) => ({
			...(states.get(`${room} ${seq}`) ?? untouched),
			...{
				groupId: room,
				seq,
				at,
				sender: sender ?? "",
				senderName: senderName ?? "",
				body: body as { message: MessageRow["body"]["message"] },
			},
		}));
	};

	const withLog = async <G extends Listed>(
		groups: G[],
		unread: (groups: G[]) => Promise<Map<string, number>>,
	): Promise<(G & ListedGroup)[]> => {
		const [heads, counts] = await Promise.all([log.heads(groups.map(({ id }) => id)), unread(groups)]);
		return groups.map((group) => ({ ...group, head: heads.get(group.id) ?? 0, unread: counts.get(group.id) ?? 0 }));
	};

	return {
		async load(groupId) {
			await log.catchUp(groupId);
			const group = await loadGroup(db, groupId, { elsewhere: true });
			return group && { ...group, messages: await log.messagesUpTo(groupId, group.head) };
		},

		async groupsOf(profileId, before, limit) {
			const groups = await db.query<Listed & { readSeq: number }>(
				`select ${listed}, m.role, m.muted_until as "mutedUntil", m.read_seq as "readSeq" ${whereMine()}`,
				[profileId, before, limit],
			);
			const rows = await withLog(groups, (some) =>
				log.unread(
					profileId,
					some.map(({ id, readSeq }) => ({ room: id, after: readSeq })),
				),
			);
			return rows.map(({ readSeq: _readSeq, ...group }) => group);
		},

		async publicGroups(profileId, before, limit) {
			const groups = await db.query<Listed>(`select ${listed}, null as role, null as "mutedUntil" ${wherePublic}`, [
				profileId,
				before,
				limit,
			]);
			return withLog(groups, async () => new Map());
		},

		countUnread: async (groupId, profileId, readSeq) =>
			(await log.unread(profileId, [{ room: groupId, after: readSeq }])).get(groupId) ?? 0,

		messagesFrom: async (groupId, viewer, from, limit) => present(viewer, await log.messages(groupId, from, limit)),

		async findMessage(groupId, viewer, seq) {
			const event = await log.message(groupId, seq);
			return event && (await present(viewer, [event]))[0];
		},

		messagesAt: async (viewer, places) => present(viewer, await log.messagesAt(places.map(({ groupId, seq }) => ({ room: groupId, seq })))),

		async findTarget(groupId, seq) {
			const event = await log.message(groupId, seq);
			const [row] = event ? await present(event.sender ?? groupId, [event]) : [];
			return row && toTarget(row);
		},
	};
}
