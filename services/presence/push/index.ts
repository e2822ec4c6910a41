// The channel to devices, as the ladder sees it (notify/ladder.ts).
import type { ServiceBroker } from "moleculer";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import { deviceKind } from "../../contracts/devices.ts";
import { presenceJobs } from "../jobs.ts";
import type { Push } from "../store/devices.ts";
import { planPushes, reachable, takeBack } from "../store/devices.ts";
import type { NotificationRow } from "../store/notifications.ts";
import { laneOf, nameOf, planDeliveries } from "./deliver.ts";
import { fcmOf } from "./fcm.ts";

/** Those of the profiles that have a device we can push to. Without one the ladder goes on to the mail. */
export const withDevices = (db: Queryable, broker: ServiceBroker, profileIds: readonly string[]): Promise<Set<string>> =>
	reachable(db, profileIds, fcmOf(broker) ? deviceKind.values : ["web"]);

const byLane = (pushes: readonly Push[]) => Map.groupBy(pushes, ({ kind }) => laneOf(kind));

/** Plans the push of a notification in the transaction that moves it on; the same again, with more in it, replaces it on the device. */
export async function pushLater(tx: Tx, { id, profileId }: Pick<NotificationRow, "id" | "profileId">): Promise<void> {
	const now = new Date();
	const fresh = { profileId, since: now.toISOString(), tries: 0, withdraw: false, small: false };
	for (const [lane, pushes] of byLane(await planPushes(tx, id, profileId, now))) {
		const all = pushes.map(({ notificationId, deviceId }) => ({ ...fresh, notificationId, deviceId }));
		await planDeliveries(tx, lane, all, now);
	}
}

/** Takes pushes back: what waits is not sent, what was sent disappears from the devices. The notifications were read, or are gone. */
export async function withdraw(tx: Tx, profileId: string, notificationIds: readonly string[]): Promise<void> {
	if (notificationIds.length === 0) return;
	const taken = await takeBack(tx, notificationIds);
	const since = new Date().toISOString();
	for (const [lane, pushes] of byLane(taken.filter(({ tried }) => tried))) {
		const all = pushes.map(({ notificationId, deviceId }) => ({
			...{ notificationId, deviceId, profileId, since },
			...{ tries: 0, withdraw: true, small: false },
		}));
		await planDeliveries(tx, lane, all);
	}
	for (const [lane, pushes] of byLane(taken.filter(({ tried }) => !tried))) await presenceJobs.cancelAll(tx, lane, pushes.map(nameOf));
}
