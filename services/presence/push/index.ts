// The channel to devices, as the ladder sees it (notify/ladder.ts). There are no devices yet: whoever makes them fills in these.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { NotificationRow } from "../store/notifications.ts";

/** Those of the profiles that have a device. Without one the ladder goes on to the mail. */
export async function withDevices(_db: Queryable, _profileIds: readonly string[]): Promise<Set<string>> {
	return new Set();
}

/** Plans the push of a notification in the transaction that moves it on; the same again, with more in it, replaces it on the device. */
export async function pushLater(_tx: Tx, _notification: NotificationRow): Promise<void> {}

/** Takes pushes back: what waits is not sent, what was sent disappears from the devices. The notifications were read, or are gone. */
export async function withdraw(_tx: Tx, _profileId: string, _notificationIds: readonly string[]): Promise<void> {}
