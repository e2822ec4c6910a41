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
	const present = async (groupId: string, viewer: string, events: readonly NewEvent[]): Promise<MessageRow[]> => {
		if (events.length === 0) return [];
		const rows = await db.query<Present & { seq: number }>(
			`select k.seq, s.content as "editedContent", s.edited_at as "editedAt", s.deleted_at as "deletedAt", ${reactionsTo("$1", "k.seq")} as reactions
			from unnest($3::bigint[]) as k (seq) left join message_states s on s.group_id = $1 and s.seq = k.seq`,
			[groupId, viewer, events.map(({ seq }) => seq)],
		);
		const states = new Map(rows.map(({ seq, ...state }) => [seq, state]));
		return events.map(({ seq, at, sender, senderName, body }) => ({
			...(states.get(seq) ?? untouched),
			...{ seq, at, sender: sender ?? "", senderName: senderName ?? "", body: body as MessageRow["body"] },
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

		messagesFrom: async (groupId, viewer, from, limit) => present(groupId, viewer, await log.messages(groupId, from, limit)),

		async findMessage(groupId, viewer, seq) {
			const event = await log.message(groupId, seq);
			return event && (await present(groupId, viewer, [event]))[0];
		},

		async findTarget(groupId, seq) {
			const event = await log.message(groupId, seq);
			const [row] = event ? await present(groupId, event.sender ?? "", [event]) : [];
			return row && toTarget(row);
		},
	};
}
