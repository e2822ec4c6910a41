// Searching what was said: in one group, or in all that the caller is in.
import { decodeCursor, isTool, pageOf, service } from "../../mixins/node.ts";
import type { Message } from "../contracts/messages.ts";
import type { Ctx } from "../contracts/index.ts";
import type { GroupsNode } from "./actor/actors.ts";
import { groupsNode } from "./actor/actors.ts";
import { asMember } from "./domain/group.ts";
import { matchesIn, termsOf } from "./domain/words.ts";
import { keyOf, messagesAt } from "./messages/places.ts";
import { groupNames, roomsOf } from "./store/words.ts";
import type { Place } from "./store/words.ts";

interface Question {
	q: string;
	limit: number;
	cursor?: string;
}

const cursorOf = ({ at, room, seq }: Place) => [Date.parse(at), room, seq];

/** @param upTo of one's only room: whoever was removed meanwhile, which this process may not know yet, must not read on there */
async function search(node: GroupsNode, ctx: Ctx<Question>, rooms: readonly string[], upTo = Number.POSITIVE_INFINITY) {
	const { q, limit, cursor } = ctx.params;
	const [ms, room, seq] = decodeCursor(cursor, ["number", "uuid", "number"]) ?? [];
	const after = ms === undefined || room === undefined ? null : { at: new Date(Number(ms)).toISOString(), room, seq: Number(seq) };
	const terms = termsOf(q);
	if (terms.length === 0) return { data: [], nextCursor: null };
	await node.search.catchUp(rooms);
	const places = (await node.words.find({ rooms, terms, after, limit: limit + 1 })).filter((place) => place.seq <= upTo);
	const { data, nextCursor } = pageOf(places, limit, cursorOf, ({ room: groupId, seq }) => ({ groupId, seq }));
	const [messages, names] = await Promise.all([
		messagesAt(node, ctx.broker, ctx.caller.profileId, data),
		groupNames(node.db, [...new Set(data.map(({ groupId }) => groupId))]),
	]);
	const shown = (message: Message | undefined, groupId: string) =>
		// Deleted between the one question and the other.
		!message || message.content === null
			? []
			: [{ ...message, groupId, groupName: names.get(groupId) ?? "?", matches: matchesIn(message.content, q) }];
	return { data: data.flatMap((place) => shown(messages.get(keyOf(place)), place.groupId)), nextCursor };
}

export default service("messageSearch", {
	node: groupsNode,

	actions: {
		async inGroup(ctx, node) {
			const { groupId } = ctx.params;
			const { group } = asMember(await node.read(groupId, ctx.caller.profileId), ctx.caller.profileId);
			return search(node, ctx, [groupId], group.head);
		},

		everywhere: async (ctx, node) => search(node, ctx, await roomsOf(node.db, ctx.caller.profileId)),
	},

	started(node, broker) {
		// A tool says nothing.
		if (!isTool(broker)) node.search.start();
	},
	stopped: (node) => node.search.stop(),
});
