// The groups node's only way to its database: groups, members, invites, and messages in their present state.
import type { Group, Invite } from "../contracts/groups.ts";
import type { Message } from "../contracts/messages.ts";
import type { KeptAnswer } from "../../mixins/idempotency.ts";
import { keep } from "../../mixins/idempotency.ts";
import type { Entry, NewEvent, Projection } from "../../mixins/log-carrier.ts";
import type { Db, Tx } from "../../mixins/postgres.ts";
import type { Effect, Target } from "./domain/decisions.ts";
import type { GroupEvent, GroupState, Member } from "./domain/group.ts";

export type Query = Pick<Tx, "query">;

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

/** What was decided with an event besides it. */
export type Deed = Effect | { kind: "keep"; answer: KeptAnswer };

/**
 * How the log of a group shows in the tables of this node. `late`: the events are committed already, in another store, which
 * has made sure that no key is used twice; nothing of this may fail for what it finds.
 */
export const projection = ({ late }: { late: boolean }): Projection<Deed> => ({
	concerns: ({ event, deeds }) => event.type !== "message" || deeds.length > 0,
	async write(tx, { event, deeds }: Entry<Deed>) {
		await project(tx, event.room, event.seq, toGroupEvent(event));
		for (const deed of deeds) {
			if (deed.kind === "keep") await keep(tx, deed.answer, { unlessKept: late });
			else await applyEffect(tx, event.room, deed);
		}
	},
	erases(row) {
		const event = toGroupEvent(row);
		if (event.type === "deleted") return { text: event.target };
		return event.type === "group" && event.action === "deleted" ? "before" : undefined;
	},
});

/** What is read of groups and of their logs at once. Where both are in one database, by joins; else in two steps. */
export interface GroupReads {
	/** As the log left it: everything that comes of its events is written. */
	load(groupId: string): Promise<GroupState | null>;
	/** Groups of a profile, or public ones it is not in, newest first. */
	groupsOf(profileId: string, before: string | null, limit: number): Promise<Group[]>;
	publicGroups(profileId: string, before: string | null, limit: number): Promise<Group[]>;
	/** Messages of others after the mark that are not deleted. */
	countUnread(groupId: string, profileId: string, readSeq: number): Promise<number>;
	/** Messages in their present state: after a seq ascending, or before one descending. */
	messagesFrom(groupId: string, viewer: string, from: From, limit: number): Promise<MessageRow[]>;
	findMessage(groupId: string, viewer: string, seq: number): Promise<MessageRow | undefined>;
	findTarget(groupId: string, seq: number): Promise<Target | undefined>;
}

export type From = { after: number } | { before: number | null };

function toGroupEvent({ type, id, at, sender, senderName, body }: NewEvent): GroupEvent {
	return { ...body, type, id, at, by: { profileId: sender ?? "", displayName: senderName ?? "" } } as GroupEvent;
}

/** Where the log is in the same database, its head is its last row; else as far as it was brought here. */
export const lastRow = "(select coalesce(max(seq), 0)::bigint from room_events where room = g.id)";
const lastApplied = "(select seq from log_applied where room = g.id)";

/** A group with its members, as the log left it; null where there is none. `elsewhere`: the log is in another store. */
export async function loadGroup(db: Db, groupId: string, { elsewhere = false } = {}): Promise<GroupState | null> {
	const [group] = await db.query<Omit<GroupState, "members">>(
		`select id, name, description, is_public as "isPublic", creator_id as "creatorId", created_at as "createdAt",
			${elsewhere ? lastApplied : lastRow} as head
		from groups g where id = $1`,
		[groupId],
		elsewhere ? "group-load-elsewhere" : "group-load",
	);
	if (!group) return null;
	const rows = await db.query<Member & { profileId: string }>(
		`select profile_id as "profileId", display_name as "displayName", role, joined_at as "joinedAt", joined_seq as "joinedSeq", read_seq as "readSeq"
		from members where group_id = $1 order by joined_seq, profile_id`,
		[groupId],
		"group-members",
	);
	return { ...group, members: new Map(rows.map(({ profileId, ...member }) => [profileId, member])) };
}

/** Writes what an event implies besides its row in the log: the projections of groups, members and messages. */
async function project(tx: Tx, groupId: string, seq: number, event: GroupEvent): Promise<void> {
	switch (event.type) {
		case "message":
			return;
		case "edited":
			await tx.query(
				`insert into message_states (group_id, seq, content, edited_at) values ($1, $2, $3, $4)
				on conflict (group_id, seq) do update set content = excluded.content, edited_at = excluded.edited_at`,
				[groupId, event.target, event.content, event.editedAt],
			);
			return;
		case "deleted":
			await tx.query(
				`insert into message_states (group_id, seq, content, deleted_at) values ($1, $2, null, $3)
				on conflict (group_id, seq) do update set content = null, deleted_at = excluded.deleted_at`,
				[groupId, event.target, event.deletedAt],
			);
			await tx.query("delete from reactions where group_id = $1 and seq = $2", [groupId, event.target]);
			return;
		case "reacted":
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
			return;
		case "member":
			return projectMember(tx, groupId, seq, event);
		case "group":
			return projectGroup(tx, groupId, seq, event);
		default:
			return event satisfies never;
	}
}

async function projectMember(tx: Tx, groupId: string, seq: number, event: GroupEvent & { type: "member" }): Promise<void> {
	if (event.action === "roleChanged") {
		await tx.query("update members set role = $3 where group_id = $1 and profile_id = $2", [groupId, event.profileId, event.role]);
		return;
	}
	if (event.action === "joined") {
		await tx.query(
			`insert into members (group_id, profile_id, display_name, role, joined_at, joined_seq, read_seq)
			values ($1, $2, $3, $4, $5, $6, $6)`,
			[groupId, event.profileId, event.displayName, event.role ?? "member", event.at, seq],
		);
		await tx.query("delete from join_requests where group_id = $1 and profile_id = $2", [groupId, event.profileId]);
	} else {
		await tx.query("delete from members where group_id = $1 and profile_id = $2", [groupId, event.profileId]);
	}
	await tx.query("update groups set member_count = member_count + $2 where id = $1", [groupId, event.action === "joined" ? 1 : -1]);
}

async function projectGroup(tx: Tx, groupId: string, seq: number, event: GroupEvent & { type: "group" }): Promise<void> {
	const { name, description, isPublic } = event.group;
	switch (event.action) {
		case "created":
			await tx.query(
				`insert into groups (id, name, description, is_public, creator_id, member_count, created_at, updated_at)
				values ($1, $2, $3, $4, $5, 1, $6, $6)`,
				[groupId, name, description, isPublic, event.by.profileId, event.at],
			);
			await tx.query(
				`insert into members (group_id, profile_id, display_name, role, joined_at, joined_seq, read_seq)
				values ($1, $2, $3, 'admin', $4, $5, $5)`,
				[groupId, event.by.profileId, event.by.displayName, event.at, seq],
			);
			return;
		case "updated":
			await tx.query("update groups set name = $2, description = $3, is_public = $4, updated_at = $5 where id = $1", [
				groupId,
				name,
				description,
				isPublic,
				event.at,
			]);
			return;
		case "deleted":
			await tx.query("delete from groups where id = $1", [groupId]);
			await tx.query("delete from message_states where group_id = $1", [groupId]);
			await tx.query("delete from reactions where group_id = $1", [groupId]);
			return;
		default:
			return event.action satisfies never;
	}
}

/** Writes what a decision asks for besides events. */
export async function applyEffect(tx: Tx, groupId: string, effect: Effect): Promise<void> {
	switch (effect.kind) {
		case "requestJoin":
			await tx.query(
				"insert into join_requests (group_id, profile_id, display_name, requested_at) values ($1, $2, $3, $4) on conflict do nothing",
				[groupId, effect.profileId, effect.displayName, effect.at],
			);
			return;
		case "addInvite": {
			const { id, token, inviterId, inviteeId, role, expiresAt, createdAt } = effect.invite;
			// One that ran out unseen still holds the only open place.
			await tx.query(
				"update invites set state = 'expired', ended_at = $3 where group_id = $1 and invitee_id = $2 and state = 'pending' and expires_at <= $3",
				[groupId, inviteeId, createdAt],
			);
			await tx.query(
				`insert into invites (id, token, group_id, inviter_id, invitee_id, role, state, expires_at, created_at)
				values ($1, $2, $3, $4, $5, $6, 'pending', $7, $8)`,
				[id, token, groupId, inviterId, inviteeId, role, expiresAt, createdAt],
			);
			return;
		}
		case "endInvite":
			await tx.query("update invites set state = $2, ended_at = $3 where id = $1 and state = 'pending'", [
				effect.inviteId,
				effect.state,
				effect.at,
			]);
			return;
		default:
			return effect satisfies never;
	}
}

const inviteColumns = `i.id, i.token, i.group_id as "groupId", g.name as "groupName", i.inviter_id as "inviterId", i.invitee_id as "inviteeId",
	i.role, case when i.state = 'pending' and i.expires_at <= $1 then 'expired' else i.state end as state, i.expires_at as "expiresAt", i.created_at as "createdAt"`;

export async function findInvite(db: Query, now: Date, by: { id: string } | { token: string }): Promise<Invite | undefined> {
	const [column, value] = "id" in by ? ["id", by.id] : ["token", by.token];
	const [row] = await db.query<Invite>(`select ${inviteColumns} from invites i join groups g on g.id = i.group_id where i.${column} = $2`, [
		now,
		value,
	]);
	return row;
}

export async function openInvite(db: Query, now: Date, groupId: string, inviteeId: string): Promise<{ id: string } | undefined> {
	const [row] = await db.query<{ id: string }>(
		"select id from invites where group_id = $1 and invitee_id = $2 and state = 'pending' and expires_at > $3",
		[groupId, inviteeId, now],
	);
	return row;
}

export function invitesOfGroup(db: Query, now: Date, groupId: string, before: string | null, limit: number): Promise<Invite[]> {
	return db.query<Invite>(
		`select ${inviteColumns} from invites i join groups g on g.id = i.group_id
		where i.group_id = $2 and ($3::uuid is null or i.id < $3) order by i.id desc limit $4`,
		[now, groupId, before, limit],
	);
}

export function openInvitesOf(db: Query, now: Date, inviteeId: string, before: string | null, limit: number): Promise<Invite[]> {
	return db.query<Invite>(
		`select ${inviteColumns} from invites i join groups g on g.id = i.group_id
		where i.invitee_id = $2 and i.state = 'pending' and i.expires_at > $1 and ($3::uuid is null or i.id < $3) order by i.id desc limit $4`,
		[now, inviteeId, before, limit],
	);
}

/** What every list shows of a group. */
export const listed = `g.id, g.name, g.description, g.is_public as "isPublic", g.created_at as "createdAt", g.member_count as "memberCount"`;
/** Which groups of a profile, and which public ones it is not in: $1 the profile, $2 the id that the page goes on after, $3 how many. */
export const whereMine = `from members m join groups g on g.id = m.group_id
	where m.profile_id = $1 and ($2::uuid is null or m.group_id < $2) order by m.group_id desc limit $3`;
export const wherePublic = `from groups g where g.is_public and ($2::uuid is null or g.id < $2)
	and not exists (select 1 from members m where m.group_id = g.id and m.profile_id = $1) order by g.id desc limit $3`;

/** Moves a read mark forward, never back; answers where it stands. */
export async function markRead(db: Query, groupId: string, profileId: string, seq: number): Promise<number> {
	const [row] = await db.query<{ readSeq: number }>(
		`update members set read_seq = greatest(read_seq, $3) where group_id = $1 and profile_id = $2 returning read_seq as "readSeq"`,
		[groupId, profileId, seq],
		"mark-read",
	);
	return row?.readSeq ?? seq;
}

export interface MessageRow {
	seq: number;
	at: string;
	sender: string;
	senderName: string;
	body: { message: Omit<Message, "seq" | "by" | "at" | "reactions" | "editedAt" | "deletedAt"> };
	editedContent: string | null;
	editedAt: string | null;
	deletedAt: string | null;
	reactions: { emoji: string; count: number; mine: boolean }[] | null;
}

/** The reactions to a message, $2 being who looks. */
export const reactionsTo = (group: string, seq: string) => `(
	select json_agg(json_build_object('emoji', r.emoji, 'count', r.count, 'mine', r.mine) order by r.first, r.emoji) from (
		select emoji, count(*)::int as count, bool_or(profile_id = $2) as mine, min(at) as first
		from reactions where group_id = ${group} and seq = ${seq} group by emoji
	) r)`;

export async function hasReacted(db: Query, groupId: string, seq: number, emoji: string, profileId: string): Promise<boolean> {
	const rows = await db.query(
		"select 1 from reactions where group_id = $1 and seq = $2 and emoji = $3 and profile_id = $4",
		[groupId, seq, emoji, profileId],
		"has-reacted",
	);
	return rows.length > 0;
}
