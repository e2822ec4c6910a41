// The inboxes: notifications, what caused them, and how far each has gone on its ladder.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Json } from "../../contracts/infer.ts";
import type { Notification } from "../../contracts/notifications.ts";
import type { Step } from "../domain/kinds.ts";
import type { Language, Values, WordingName } from "../domain/wordings.ts";

export interface NotificationRow extends Omit<Notification, "data"> {
	profileId: string;
	wording: WordingName;
	language: Language;
	vals: Values;
	data: { [name: string]: Json };
	cause: string;
	byId: string | null;
	groupId: string | null;
	messageSeq: number | null;
	thread: string | null;
	shown: boolean;
	step: Step | null;
	mail: "waiting" | "sent" | null;
}

const columns = `id, profile_id as "profileId", seq, kind, wording, language, vals, title, body, data, cause, by_id as "byId", group_id as "groupId",
	message_seq as "messageSeq", thread, count, shown, created_at as "createdAt", read_at as "readAt", step, mail`;

/** What clients see of a row. */
export const view = ({ id, seq, kind, title, body, data, count, readAt, createdAt }: NotificationRow): Notification => ({
	id,
	seq,
	kind,
	title,
	body,
	data,
	count,
	readAt,
	createdAt,
});

/** A cause, as somebody would be notified of it. */
export interface NewCause {
	profileId: string;
	cause: string;
	notificationId: string;
}
export const causeKey = ({ profileId, cause }: Pick<NewCause, "profileId" | "cause">): string => `${profileId} ${cause}`;

/** Those that are new: what notified somebody once never does again. */
export async function addCauses(tx: Tx, causes: readonly NewCause[], at: Date): Promise<Set<string>> {
	const rows = await tx.query<NewCause>(
		`insert into causes (profile_id, cause, notification_id, at)
		select "profileId", cause, "notificationId", $2::timestamptz
		from json_to_recordset($1::json) as c("profileId" uuid, cause text, "notificationId" uuid)
		on conflict (profile_id, cause) do nothing returning profile_id as "profileId", cause`,
		[JSON.stringify(causes), at],
	);
	return new Set(rows.map(causeKey));
}

/** The cause belongs to a notification that was there before. */
export async function moveCauses(tx: Tx, causes: readonly NewCause[]): Promise<void> {
	if (causes.length === 0) return;
	await tx.query(
		`update causes set notification_id = "notificationId"
		from json_to_recordset($1::json) as c("profileId" uuid, cause text, "notificationId" uuid)
		where causes.profile_id = c."profileId" and causes.cause = c.cause`,
		[JSON.stringify(causes)],
	);
}

/** What is unread under these names, locked. */
export function holdThreads(tx: Tx, threads: readonly { profileId: string; thread: string }[]): Promise<NotificationRow[]> {
	if (threads.length === 0) return Promise.resolve([]);
	return tx.query<NotificationRow>(
		`select ${columns} from notifications n
		where read_at is null and (profile_id, thread) in (
			select "profileId", t.thread from json_to_recordset($1::json) as t("profileId" uuid, thread text)
		) order by id for update`,
		[JSON.stringify(threads)],
	);
}

const record = `json_to_recordset($1::json) as r(
	id uuid, "profileId" uuid, seq bigint, kind text, wording text, language text, vals jsonb, title text, body text, data jsonb, cause text,
	"byId" uuid, "groupId" uuid, "messageSeq" bigint, thread text, count integer, shown boolean, "createdAt" timestamptz,
	"readAt" timestamptz, step text, mail text
)`;

export async function insertNotifications(tx: Tx, rows: readonly NotificationRow[]): Promise<void> {
	if (rows.length === 0) return;
	await tx.query(
		`insert into notifications (id, profile_id, seq, kind, wording, language, vals, title, body, data, cause, by_id, group_id, message_seq,
			thread, count, shown, created_at, read_at, step, mail)
		select id, "profileId", seq, kind, wording, language, vals, title, body, data, cause, "byId", "groupId", "messageSeq",
			thread, count, shown, "createdAt", "readAt", step, mail from ${record}`,
		[JSON.stringify(rows)],
	);
}

/** Writes what may change of them. */
export async function updateNotifications(tx: Tx, rows: readonly NotificationRow[]): Promise<void> {
	if (rows.length === 0) return;
	await tx.query(
		`update notifications n set seq = r.seq, wording = r.wording, vals = r.vals, title = r.title, body = r.body, data = r.data, cause = r.cause,
			by_id = r."byId", message_seq = r."messageSeq", count = r.count, read_at = r."readAt", step = r.step, mail = r.mail
		from ${record} where n.id = r.id`,
		[JSON.stringify(rows)],
	);
}

/** A page of somebody's inbox, newest first. */
export const inboxOf = (
	db: Queryable,
	profileId: string,
	unread: boolean,
	before: number | null,
	limit: number,
): Promise<NotificationRow[]> =>
	db.query(
		`select ${columns} from notifications
		where profile_id = $1 and shown and (not $2 or read_at is null) and ($3::bigint is null or seq < $3) order by seq desc limit $4`,
		[profileId, unread, before, limit],
		unread ? "inbox-unread" : "inbox",
	);

export async function countUnread(db: Queryable, profileId: string): Promise<number> {
	const [row] = await db.query<{ count: number }>(
		"select count(*)::int as count from notifications where profile_id = $1 and read_at is null and shown",
		[profileId],
		"inbox-count",
	);
	return row?.count ?? 0;
}

export async function findNotification(db: Queryable, id: string): Promise<NotificationRow | undefined> {
	const [row] = await db.query<NotificationRow>(`select ${columns} from notifications where id = $1`, [id], "notification-find");
	return row;
}

/** Locked. A stranger's is not there. */
export async function holdOwn(tx: Tx, id: string, profileId: string): Promise<NotificationRow | undefined> {
	const [row] = await tx.query<NotificationRow>(
		`select ${columns} from notifications where id = $1 and profile_id = $2 and shown for update`,
		[id, profileId],
		"notification-hold",
	);
	return row;
}

/** Marks as read what is not; answers what was. `ids` null: all of the profile's. */
export const markRead = (tx: Tx, profileId: string, ids: readonly string[] | null, at: Date): Promise<{ id: string; shown: boolean }[]> =>
	tx.query(
		`update notifications set read_at = $3, step = null, mail = case when mail = 'waiting' then null else mail end
		where profile_id = $1 and read_at is null and ($2::uuid[] is null or id = any($2)) returning id, shown`,
		[profileId, ids, at],
	);

/** What somebody has not read that happened in groups: by group how far one must have read to have seen the newest. */
export const unreadInGroups = (db: Queryable, profileId: string): Promise<{ id: string; groupId: string; messageSeq: number }[]> =>
	db.query(
		`select id, group_id as "groupId", message_seq as "messageSeq" from notifications
		where profile_id = $1 and read_at is null and message_seq is not null order by id desc limit 1000`,
		[profileId],
		"unread-in-groups",
	);

export async function deleteNotifications(tx: Tx, ids: readonly string[]): Promise<void> {
	await tx.query("delete from notifications where id = any($1::uuid[])", [ids]);
}

/** The notifications that a cause has made, or causes that begin so. */
export const causedBy = (db: Queryable, cause: string, beginning: boolean): Promise<NotificationRow[]> =>
	db.query(
		`select ${columns} from notifications where id in (select notification_id from causes c where c.cause ${beginning ? "like $1 || '%'" : "= $1"})
		order by id`,
		[cause],
	);

/** What the digest of a profile has gathered, oldest first. */
export const waitingOf = (db: Queryable, profileId: string): Promise<NotificationRow[]> =>
	db.query(
		`select ${columns} from notifications where profile_id = $1 and read_at is null and mail = 'waiting' order by created_at, id limit 200`,
		[profileId],
	);

/** These are mailed with the commit of `tx`; those that were mailed, or read meanwhile, are not among what it answers. */
export async function claimMail(tx: Tx, ids: readonly string[]): Promise<Set<string>> {
	const rows = await tx.query<{ id: string }>(
		`update notifications set mail = 'sent', step = null
		where id = any($1::uuid[]) and read_at is null and (mail is null or mail <> 'sent') returning id`,
		[ids],
	);
	return new Set(rows.map(({ id }) => id));
}

/** What comes next of it; false where it is read, or gone. */
export async function setStep(tx: Tx, id: string, step: Step | null, mail: NotificationRow["mail"]): Promise<boolean> {
	const rows = await tx.query(
		"update notifications set step = $2, mail = coalesce($3, mail) where id = $1 and read_at is null returning id",
		[id, step, mail],
	);
	return rows.length > 0;
}

/** The texts of a notification, and what it is about, in the room's events that told it. */
export async function rewordEvents(tx: Tx, { profileId, id, title, body, data }: NotificationRow): Promise<void> {
	await tx.query(
		`update room_events set body = (body::jsonb || jsonb_build_object('title', $3::text, 'body', $4::text, 'data', $5::jsonb))::json
		where room = $1 and type = 'notification' and body ->> 'id' = $2 and body ->> 'title' is not null`,
		[profileId, id, title, body, JSON.stringify(data)],
	);
}

/** Notifications, and what caused them, that are older. */
export async function forgetOld(db: Queryable, before: Date): Promise<void> {
	await db.query("delete from notifications where created_at < $1", [before]);
	await db.query("delete from causes where at < $1", [before]);
}
