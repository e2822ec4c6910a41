// Puts into the inboxes what somebody is to be told, and onto the ladder. Everything in the caller's transaction, any number at once: what
// is heard twice, what one did oneself, what comes from somebody blocked or out of a muted group stays out.
import type { ServiceBroker } from "moleculer";
import { newId } from "../../../mixins/id.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import type { Wanted } from "../domain/causes.ts";
import { channelsOf, nextStep } from "../domain/kinds.ts";
import { kindOf, languageOf, say, SOMEBODY } from "../domain/wordings.ts";
import { presenceNode } from "../node.ts";
import { withDevices } from "../push/index.ts";
import { goneAmong, lockRooms } from "../store/seen.ts";
import type { NotificationRow } from "../store/notifications.ts";
import { addCauses, causeKey, holdThreads, insertNotifications, moveCauses, updateNotifications } from "../store/notifications.ts";
import type { Manner } from "../store/people.ts";
import { apartAmong, firstProfiles, mannersOf, mutedAmong, namesOf, pairKey } from "../store/people.ts";
import { planSteps } from "./plan.ts";
import type { Notice } from "./room.ts";
import { tellRooms } from "./room.ts";

/** What is older is news to nobody: a stream may bring the facts of weeks to a node that is new. */
const NEWS_MS = 3 * 86_400_000;

type Addressed = Wanted & { profileId: string };

/** What clients are told of a notification. */
export const asNotice = (row: NotificationRow, action: "created" | "updated", at: string): Notice => {
	const { id, profileId, kind, title, body, data, count, readAt, createdAt } = row;
	return { profileId, type: "notification", at, body: { action, id, kind, title, body, data, count, readAt, createdAt } };
};

/** Each with the profile whose inbox it is for; of an account nobody knows there is none. */
async function addressed(tx: Tx, wanted: readonly Wanted[]): Promise<Addressed[]> {
	const accountIds = wanted.flatMap(({ profileId, accountId }) => (profileId === null && accountId ? [accountId] : []));
	const firsts = accountIds.length > 0 ? await firstProfiles(tx, accountIds) : new Map<string, string>();
	return wanted.flatMap((one) => {
		const profileId = one.profileId ?? firsts.get(one.accountId ?? "");
		return profileId === undefined ? [] : [{ ...one, profileId }];
	});
}

/** Without those who are gone, who are apart from whoever did it, and who have muted where it happened. */
async function admitted(tx: Tx, wanted: readonly Addressed[], now: Date): Promise<Addressed[]> {
	const people = [...new Set(wanted.flatMap(({ profileId, by }) => (by === undefined ? [profileId] : [profileId, by])))];
	const withBy = wanted.flatMap(({ profileId, by }) => (by === undefined ? [] : [{ one: profileId, other: by }]));
	const within = wanted.flatMap(({ profileId, groupId, loud }) =>
		groupId === undefined || loud ? [] : [{ one: profileId, other: groupId }],
	);
	const [gone, apart, muted] = [await goneAmong(tx, people), await apartAmong(tx, withBy), await mutedAmong(tx, within, now)];
	return wanted.filter(({ profileId, by, groupId, loud }) => {
		if (gone.has(profileId)) return false;
		if (by !== undefined && (by === profileId || gone.has(by) || apart.has(pairKey({ one: profileId, other: by })))) return false;
		return loud || groupId === undefined || !muted.has(pairKey({ one: profileId, other: groupId }));
	});
}

/** Who is looking at the very room just now, on any device. Where nobody can say, nobody is. */
async function lookers(broker: ServiceBroker, wanted: readonly Addressed[]): Promise<Set<Addressed>> {
	const inRooms = wanted.filter(({ groupId, messageSeq }) => groupId !== undefined && messageSeq !== undefined);
	if (inRooms.length === 0) return new Set();
	const pairs = inRooms.map(({ profileId, groupId }) => ({ profileId, room: `group:${groupId}` }));
	const looking = await presenceNode(broker)
		.book.looking(pairs)
		.catch(() => pairs.map(() => false));
	return new Set(inRooms.filter((_, index) => looking[index]));
}

/** Several new things for one inbox that are one notification there, oldest first. */
type Together = readonly [Addressed, ...Addressed[]];

function together(wanted: readonly Addressed[]): Together[] {
	const groups = Map.groupBy(
		wanted,
		({ profileId, cause, thread }) => `${profileId} ${thread === undefined ? `- ${cause}` : `+ ${thread}`}`,
	);
	return [...groups.values()].flatMap(([first, ...more]) => (first ? [[first, ...more] as const] : []));
}

/** What it says, by its count; in the words of the newest. */
export function worded(row: NotificationRow): NotificationRow {
	const wording = row.wording === "wrote" && row.count > 1 ? "wroteMore" : row.wording;
	return { ...row, ...say(wording, row.language, { ...row.vals, count: row.count }) };
}

interface Around {
	now: Date;
	manner: Manner;
	names: ReadonlyMap<string, string>;
	/** Looked at while it came. */
	seen: boolean;
}

function made(id: string, all: Together, { now, manner, names, seen }: Around): NotificationRow {
	const newest = all.at(-1) as Addressed;
	const { profileId, wording, data, cause, by, groupId, messageSeq, thread } = newest;
	const language = languageOf(manner.language);
	const values = newest.inLanguage?.[language] ?? newest.values;
	const kind = kindOf(wording);
	const name = (by !== undefined && names.get(by)) || SOMEBODY[language];
	const vals = { ...(by === undefined ? {} : { name }), ...values };
	return worded({
		id,
		profileId,
		seq: 0,
		kind,
		wording,
		language,
		vals,
		title: "",
		body: "",
		data: { ...data },
		count: all.length,
		cause,
		byId: by ?? null,
		groupId: groupId ?? null,
		messageSeq: messageSeq ?? null,
		thread: thread ?? null,
		shown: channelsOf(kind, manner.wishes).inApp,
		createdAt: now.toISOString(),
		readAt: seen ? now.toISOString() : null,
		step: null,
		mail: null,
	});
}

/** One that is unread, with more in it. */
const grown = (old: NotificationRow, more: NotificationRow): NotificationRow => {
	const { vals, data, cause, byId, messageSeq } = more;
	return worded({ ...old, vals, data, cause, byId, messageSeq, count: old.count + more.count });
};

/** Whether anything would come of it. */
const isWelcome = (row: NotificationRow, { wishes }: Manner): boolean => {
	const { inApp, email, push } = channelsOf(row.kind, wishes);
	return inApp || email || push;
};

/** Unread ones by the profile and what they gather. */
const threadKey = ({ profileId, thread }: Pick<NotificationRow, "profileId" | "thread">): string => `${profileId} ${thread}`;

/** Answers the notifications that were made, or have more in them now. */
export async function notify(tx: Tx, broker: ServiceBroker, wanted: readonly Wanted[]): Promise<NotificationRow[]> {
	if (wanted.length === 0) return [];
	const now = new Date();
	const recent = wanted.filter(({ at }) => now.getTime() - Date.parse(at) < NEWS_MS);
	const allowed = await admitted(tx, await addressed(tx, recent), now);
	if (allowed.length === 0) return [];
	const profileIds = [...new Set(allowed.map(({ profileId }) => profileId))];
	await lockRooms(tx, profileIds);
	const causes = allowed.map(({ profileId, cause }) => ({ profileId, cause, notificationId: newId() }));
	const ids = new Map(causes.map((cause) => [causeKey(cause), cause.notificationId]));
	const fresh = await addCauses(tx, causes, now);
	const news = allowed.filter((one) => fresh.delete(causeKey(one)));
	const looking = await lookers(broker, news);
	// Who looks at a talk sees what is written there. Of a mention the inbox keeps that there was one.
	const groups = together(news.filter((one) => one.thread === undefined || !looking.has(one)));
	if (groups.length === 0) return [];

	const manners = await mannersOf(tx, profileIds);
	const mannerOf = ({ profileId }: { profileId: string }) => manners.get(profileId) as Manner;
	const names = await namesOf(tx, [...new Set(news.flatMap(({ by }) => (by === undefined ? [] : [by])))]);
	const rows = groups
		.map((group) =>
			made(ids.get(causeKey(group[0])) as string, group, { now, manner: mannerOf(group[0]), names, seen: looking.has(group[0]) }),
		)
		.filter((row) => isWelcome(row, mannerOf(row)));
	const open = await holdThreads(
		tx,
		rows.flatMap(({ profileId, thread }) => (thread === null ? [] : [{ profileId, thread }])),
	);
	const before = new Map(open.map((row) => [threadKey(row), row]));
	const devices = await withDevices(tx, broker, profileIds);
	const result = rows.map((row) => placed(row, before.get(threadKey(row)), mannerOf(row), devices.has(row.profileId), now));

	const shown = result.filter(({ row }) => row.shown);
	const seqs = await tellRooms(
		tx,
		broker,
		shown.map(({ row, isNew }) => asNotice(row, isNew ? "created" : "updated", now.toISOString())),
	);
	for (const [index, { row }] of shown.entries()) row.seq = seqs[index] as number;
	await insertNotifications(
		tx,
		result.flatMap(({ row, isNew }) => (isNew ? [row] : [])),
	);
	await updateNotifications(
		tx,
		result.flatMap(({ row, isNew }) => (isNew ? [] : [row])),
	);
	// What went into one that has another id than its own cause gave it.
	const idOf = new Map(result.flatMap(({ row }) => (row.thread === null ? [] : [[threadKey(row), row.id] as const])));
	await moveCauses(
		tx,
		news.flatMap(({ profileId, cause, thread }) => {
			const notificationId = thread === undefined ? undefined : idOf.get(threadKey({ profileId, thread }));
			return notificationId ? [{ profileId, cause, notificationId }] : [];
		}),
	);
	await planSteps(
		tx,
		result.flatMap(({ row, next }) => (next ? [{ id: row.id, ...next }] : [])),
	);
	return result.map(({ row }) => row);
}

/** What becomes of a new one: itself, or more of one that is unread; and its next step, where that is to be planned. */
function placed(
	made: NotificationRow,
	before: NotificationRow | undefined,
	{ wishes }: Manner,
	devices: boolean,
	now: Date,
): { row: NotificationRow; isNew: boolean; next: ReturnType<typeof nextStep> } {
	const row = before ? grown(before, made) : made;
	const isNew = before === undefined;
	// What waits for its push is pushed as it is then: more of it does not put that off.
	if (row.readAt !== null || before?.step === "push") return { row, isNew, next: undefined };
	const time = now.getTime();
	const next = nextStep(row.kind, channelsOf(row.kind, wishes), { done: null, devices, toldAt: time, now: time });
	// One mail is enough until somebody looks.
	if (!next || (before && next.step === "mail")) return { row, isNew, next: undefined };
	return { row: { ...row, step: next.step }, isNew, next };
}
