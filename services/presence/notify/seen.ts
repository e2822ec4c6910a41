// What has been seen: read here, it is read on every device, and what waits to be pushed or mailed of it is called off.
import type { ServiceBroker } from "moleculer";
import { callAction } from "../../../mixins/call.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { presenceNode } from "../node.ts";
import { withdraw } from "../push/index.ts";
import { lockRooms } from "../store/seen.ts";
import { markRead, unreadInGroups } from "../store/notifications.ts";
import { cancelSteps } from "./plan.ts";
import type { Notice } from "./room.ts";
import { tellRooms } from "./room.ts";

/** Ids that one event names. */
const IDS = 500;
/** Groups that are asked for at once. */
const GROUPS = 100;
/** Who asks for their inbox waits at most so long (ms) for what the groups know. */
const PATIENCE = 1_000;

/** What the profile's other devices are told of notifications that are read or gone. */
export function idsTold(profileId: string, action: "read" | "deleted", ids: readonly string[], at: string): Notice[] {
	const notices: Notice[] = [];
	for (let from = 0; from < ids.length; from += IDS) {
		const some = ids.slice(from, from + IDS);
		const alone = ids.length === 1 ? { id: some[0] as string } : {};
		notices.push({
			profileId,
			type: "notification",
			at,
			body: { action, ids: some, ...alone, ...(action === "read" ? { readAt: at } : {}) },
		});
	}
	return notices;
}

/** Marks as read what is not: these, or (null) all. Answers how many of the inbox's were not. */
export async function seen(tx: Tx, broker: ServiceBroker, profileId: string, ids: readonly string[] | null): Promise<number> {
	const now = new Date();
	await lockRooms(tx, [profileId]);
	const read = await markRead(tx, profileId, ids, now);
	if (read.length === 0) return 0;
	const all = read.map(({ id }) => id);
	await cancelSteps(tx, all);
	await withdraw(tx, profileId, all);
	const shown = read.filter((row) => row.shown).map(({ id }) => id);
	await tellRooms(tx, broker, idsTold(profileId, "read", shown, now.toISOString()));
	return shown.length;
}

/** How far somebody has read in each group; null where they are no member. Throws where nobody can say. */
export async function readMarks(
	broker: ServiceBroker,
	profileId: string,
	groupIds: readonly string[],
): Promise<Map<string, number | null>> {
	const { marks } = await callAction(broker, "messages.readMarks", { profileId, groupIds }, { timeout: PATIENCE });
	return new Map(groupIds.map((id, index) => [id, marks[index] ?? null]));
}

/**
 * What somebody has read in the groups themselves they have seen. Read marks are told to nobody, for they move with every message that
 * anybody reads: they are asked for when it counts, here before the inbox is shown. Where nobody can say, it shows what is known.
 */
export async function seeWhatWasRead(broker: ServiceBroker, profileId: string): Promise<void> {
	const { db } = presenceNode(broker);
	const unread = await unreadInGroups(db, profileId);
	if (unread.length === 0) return;
	const groupIds = [...new Set(unread.map(({ groupId }) => groupId))].slice(0, GROUPS);
	try {
		const marks = await readMarks(broker, profileId, groupIds);
		const ids = unread.filter(({ groupId, messageSeq }) => (marks.get(groupId) ?? 0) >= messageSeq).map(({ id }) => id);
		if (ids.length > 0) await db.tx((tx) => seen(tx, broker, profileId, ids));
	} catch (error) {
		broker.logger.debug("How far somebody has read could not be asked.", { error: String(error) });
	}
}
