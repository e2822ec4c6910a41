// Messages named by where they stand, in whatever groups: shown as their members see them, without keeping their groups in memory.
import type { ServiceBroker } from "moleculer";
import type { Message } from "../../contracts/messages.ts";
import type { GroupsNode } from "../actor/actors.ts";
import { facesOf } from "../people/faces.ts";
import { view } from "./shown.ts";
import { namesIn } from "../store/profiles.ts";

export interface Place {
	groupId: string;
	seq: number;
}
export const keyOf = ({ groupId, seq }: Place): string => `${groupId} ${seq}`;

/** The messages that are at these places, by `keyOf`. */
export async function messagesAt(
	node: GroupsNode,
	broker: ServiceBroker,
	viewer: string,
	places: readonly Place[],
): Promise<Map<string, Message>> {
	if (places.length === 0) return new Map();
	const rows = await node.reads.messagesAt(viewer, places);
	const senders = rows.map(({ groupId, sender }) => ({ groupId, profileId: sender }));
	const [names, faces] = await Promise.all([
		namesIn(node.db, senders),
		facesOf(
			node.db,
			broker,
			rows.map(({ sender }) => sender),
		),
	]);
	return new Map(rows.map((row) => [keyOf(row), view(broker, row, names.get(`${row.groupId} ${row.sender}`) ?? row.senderName, faces)]));
}
