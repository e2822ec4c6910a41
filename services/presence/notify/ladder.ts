// The ladder of a notification that nobody has seen: a push, then a mail. Each step looks first whether it is still needed, and whether
// this is a time to disturb anybody; what it does, and the plan of the next step, are one transaction. Safe to do twice.
import type { ServiceBroker } from "moleculer";
import { callAction } from "../../../mixins/call.ts";
import type { JobTools } from "../../../mixins/jobs/index.ts";
import type { Db } from "../../../mixins/postgres.ts";
import type { Channels } from "../../contracts/notifications.ts";
import { channelsOf, nextStep } from "../domain/kinds.ts";
import { digestAt, quietUntil } from "../domain/local-time.ts";
import { presenceNode } from "../node.ts";
import { pushLater } from "../push/index.ts";
import { lockRooms } from "../store/seen.ts";
import type { NotificationRow } from "../store/notifications.ts";
import { claimMail, findNotification, setStep, waitingOf } from "../store/notifications.ts";
import type { Manner } from "../store/people.ts";
import { mannersOf, mutedAmong } from "../store/people.ts";
import { sendNotices } from "./mails.ts";
import { planDigest, planSteps } from "./plan.ts";
import { readMarks, seen } from "./seen.ts";

/** `seen`: looked at, or read in the group itself. `left`: they are in that group no more. `unclear`: nobody can say now. */
type Standing = "unseen" | "seen" | "left" | "unclear";

async function standingOf(broker: ServiceBroker, { profileId, groupId, messageSeq }: NotificationRow): Promise<Standing> {
	if (groupId === null || messageSeq === null) return "unseen";
	const [looking] = await presenceNode(broker)
		.book.looking([{ profileId, room: `group:${groupId}` }])
		.catch(() => [false]);
	if (looking) return "seen";
	try {
		const mark = (await readMarks(broker, profileId, [groupId])).get(groupId) ?? null;
		return mark === null ? "left" : mark >= messageSeq ? "seen" : "unseen";
	} catch {
		return "unclear";
	}
}

interface Climb {
	row: NotificationRow;
	manner: Manner;
	channels: Channels;
	now: number;
	db: Db;
	broker: ServiceBroker;
}

async function push({ row, channels, now, db }: Climb): Promise<void> {
	const toldAt = Date.parse(row.createdAt);
	const next = nextStep(row.kind, channels, { done: "push", devices: true, toldAt, now });
	await db.tx(async (tx) => {
		await lockRooms(tx, [row.profileId]);
		if (!(await setStep(tx, row.id, row.mail === null && next ? next.step : null, null))) return;
		if (channels.push) await pushLater(tx, row);
		if (next && row.mail === null) await planSteps(tx, [{ id: row.id, ...next }]);
	});
}

async function mail({ row, manner, channels, now, db, broker }: Climb): Promise<void> {
	const { digest, timeZone, quiet } = manner;
	if (digest !== "off" || !channels.email)
		return db.tx(async (tx) => {
			await lockRooms(tx, [row.profileId]);
			const waits = channels.email && row.mail === null;
			if (!(await setStep(tx, row.id, null, waits ? "waiting" : null)) || !waits || digest === "off") return;
			await planDigest(tx, row.profileId, digestAt(now, digest, timeZone, quiet));
		});
	await sendMail(db, broker, row.profileId, [row], false);
}

/** Nobody is asked for an address while anybody waits for it: it is the identity node's, and kept nowhere else. */
async function sendMail(
	db: Db,
	broker: ServiceBroker,
	profileId: string,
	rows: readonly NotificationRow[],
	digest: boolean,
): Promise<void> {
	const { email: to, language } = await callAction(broker, "identity.contactOf", { profileId });
	await db.tx(async (tx) => {
		await lockRooms(tx, [profileId]);
		const claimed = await claimMail(
			tx,
			rows.map(({ id }) => id),
		);
		const [first, ...rest] = rows.filter(({ id }) => claimed.has(id));
		// Where there is no address that was proved there is no mail, and none later for the same.
		if (to !== null && first) await sendNotices(tx, broker, { to, language }, [first, ...rest], digest);
	});
}

/** A mention comes through a mute; whatever else was said in the group does not. */
const isLoud = ({ kind }: NotificationRow): boolean => kind !== "message" && kind !== "reply";

/** The next step of a notification is due. */
export async function climb({ id }: { id: string }, { at, db, broker }: JobTools): Promise<void> {
	const row = await findNotification(db, id);
	if (!row || row.readAt !== null || row.step === null) return;
	const { profileId, groupId, step } = row;
	const [manner] = (await mannersOf(db, [profileId])).values();
	if (!manner) return;
	const standing = await standingOf(broker, row);
	if (standing === "seen") return void (await db.tx((tx) => seen(tx, broker, profileId, [id])));
	// Better a push too much than none; a mail can wait until it is clear.
	if (standing === "unclear" && step === "mail") throw new Error("How far somebody has read could not be asked.");
	const muted = groupId !== null && !isLoud(row) && (await mutedAmong(db, [{ one: profileId, other: groupId }], at)).size > 0;
	if (standing === "left" || muted) return void (await db.tx((tx) => setStep(tx, id, null, null)));
	const now = at.getTime();
	const later = quietUntil(now, manner.quiet, manner.timeZone);
	if (later !== null) return db.tx((tx) => planSteps(tx, [{ id, step, at: later }]));
	const channels = channelsOf(row.kind, manner.wishes);
	await (step === "push" ? push : mail)({ row, manner, channels, now, db, broker });
}

/** What has gathered for somebody's digest goes out. */
export async function digest({ profileId }: { profileId: string }, { at, db, broker }: JobTools): Promise<void> {
	const waiting = await waitingOf(db, profileId);
	if (waiting.length === 0) return;
	const [manner] = (await mannersOf(db, [profileId])).values();
	const later = manner ? quietUntil(at.getTime(), manner.quiet, manner.timeZone) : null;
	if (later !== null) return db.tx((tx) => planDigest(tx, profileId, later));
	const rows: NotificationRow[] = [];
	for (const row of waiting) {
		const standing = await standingOf(broker, row);
		if (standing === "unclear") throw new Error("How far somebody has read could not be asked.");
		if (standing === "seen") await db.tx((tx) => seen(tx, broker, profileId, [row.id]));
		else if (standing === "left" || !channelsOf(row.kind, manner?.wishes ?? {}).email) await db.tx((tx) => claimMail(tx, [row.id]));
		else rows.push(row);
	}
	if (rows.length > 0) await sendMail(db, broker, profileId, rows, true);
}
