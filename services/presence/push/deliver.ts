// One push to one device: a job under the names of both. What could not be delivered is tried again until it is a day old; between an
// answer and the note that it came, a crash has it sent once more, under the same topic: the device shows one.
import type { ServiceBroker } from "moleculer";
import type { JobTools } from "../../../mixins/jobs/index.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { ladders } from "../domain/kinds.ts";
import { quietUntil } from "../domain/local-time.ts";
import type { Message, Outcome } from "../domain/push.ts";
import { messageOf, pauseBefore, PUSH_LIFE_MS, withdrawal } from "../domain/push.ts";
import { presenceJobs } from "../jobs.ts";
import type { DeviceRow, Push } from "../store/devices.ts";
import { dropDead, findDevice, holdPush, tryPush } from "../store/devices.ts";
import { findNotification } from "../store/notifications.ts";
import { mannersOf } from "../store/people.ts";
import { breakerOf } from "./breaker.ts";
import { fcmOf } from "./fcm.ts";
import type { Urgency } from "./web.ts";
import { sendWeb, takesWithdrawals } from "./web.ts";

export interface Waiting {
	notificationId: string;
	deviceId: string;
	/** Whose device it was when it was planned. */
	profileId: string;
	/** ISO 8601. */
	since: string;
	tries: number;
	withdraw: boolean;
	small: boolean;
}

type Lane = "pushWeb" | "pushFcm";
export const laneOf = (kind: Push["kind"]): Lane => (kind === "web" ? "pushWeb" : "pushFcm");
export const nameOf = ({ notificationId, deviceId }: Omit<Push, "kind">): string => `${notificationId} ${deviceId}`;

/** @param at default: now */
export const planDeliveries = (tx: Tx, lane: Lane, all: readonly Waiting[], at = new Date()): Promise<void> =>
	presenceJobs.planAll(
		tx,
		lane,
		all.map((payload) => ({ payload, at, key: nameOf(payload) })),
	);

/** What is to be sent now; undefined where it is needless, a time (ms) where it is not the hour for it. */
async function meant(waiting: Waiting, { db, at }: JobTools): Promise<{ message: Message; urgency: Urgency } | number | undefined> {
	const { notificationId, profileId, withdraw, tries, small } = waiting;
	if (withdraw) return { message: withdrawal(notificationId), urgency: "low" };
	const row = await findNotification(db, notificationId);
	if (!row || row.readAt !== null || row.profileId !== profileId) return undefined;
	if (tries > 0) {
		const [manner] = (await mannersOf(db, [profileId])).values();
		const later = manner ? quietUntil(at.getTime(), manner.quiet, manner.timeZone) : null;
		if (later !== null) return later;
	}
	return { message: messageOf(row, { small }), urgency: (ladders[row.kind].push ?? 60) <= 10 ? "high" : "normal" };
}

async function send(broker: ServiceBroker, device: DeviceRow, message: Message, urgency: Urgency, ttlSeconds: number): Promise<Outcome> {
	if (device.kind === "web") return sendWeb(broker, device, message, { ttlSeconds, urgency });
	const fcm = fcmOf(broker);
	return fcm ? fcm.send(device.token, message, ttlSeconds) : { as: "refused", why: "FCM_CREDENTIALS_FILE is not set." };
}

const serverOf = ({ kind, token }: DeviceRow): string => (kind === "web" ? new URL(token).origin : "FCM");

/** Puts it off, unless it was taken back meanwhile. */
function putOff(waiting: Waiting, lane: Lane, at: number, { db }: JobTools): Promise<void> {
	return db.tx(async (tx) => {
		if (waiting.withdraw || (await holdPush(tx, waiting))) await planDeliveries(tx, lane, [waiting], new Date(at));
	});
}

/** Safe to do twice: under one topic. */
export async function deliver(waiting: Waiting, tools: JobTools): Promise<void> {
	const { db, broker, at } = tools;
	const now = at.getTime();
	const device = await findDevice(db, waiting.deviceId);
	if (!device || device.profileId !== waiting.profileId) return;
	if (waiting.withdraw && !takesWithdrawals(device)) return;
	const life = Date.parse(waiting.since) + PUSH_LIFE_MS - now;
	const what = life > 0 ? await meant(waiting, tools) : undefined;
	if (what === undefined) return;
	const lane = laneOf(device.kind);
	const [server, breaker] = [serverOf(device), breakerOf(broker)];
	const later = typeof what === "number" ? what : breaker.closedUntil(server, now);
	if (typeof what === "number" || later !== undefined) return putOff(waiting, lane, later as number, tools);
	if (!waiting.withdraw && !(await tryPush(db, waiting, at))) return;

	const outcome = await send(broker, device, what.message, what.urgency, Math.ceil(life / 1000));
	breaker.note(server, outcome.as === "later", Date.now());
	await settle(outcome, waiting, device, tools);
}

async function settle(outcome: Outcome, waiting: Waiting, device: DeviceRow, tools: JobTools): Promise<void> {
	const { db, broker } = tools;
	const lane = laneOf(device.kind);
	const tries = waiting.tries + 1;
	if (outcome.as !== "sent")
		broker.logger.debug("a push was not taken", { as: outcome.as, why: outcome.why, server: serverOf(device), device: device.id, tries });
	switch (outcome.as) {
		case "sent":
			if (waiting.withdraw) return;
			// Read while it was on its way: what takes it back may have overtaken it.
			return db.tx(async (tx) => {
				if (!(await holdPush(tx, waiting))) await planDeliveries(tx, lane, [{ ...waiting, tries: 0, withdraw: true }]);
			});
		case "dead":
			return dropDead(db, device);
		case "smaller":
			if (waiting.small) return;
			return putOff({ ...waiting, tries, small: true }, lane, Date.now(), tools);
		case "later":
			return putOff({ ...waiting, tries }, lane, Date.now() + pauseBefore(waiting.tries, outcome.after, Math.random()), tools);
		case "refused":
			broker.logger.warn("A push was refused; it is given up.", { why: outcome.why, server: serverOf(device), device: device.id });
			return;
		default:
			return outcome satisfies never;
	}
}
