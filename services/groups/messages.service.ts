// The numbered log: messages, their edits and deletions, read marks, and what doors need to open a room.
import { decodeCursor, service } from "../../mixins/node.ts";
import { encodeCursor } from "../../mixins/cursor.ts";
import { roomBus } from "../../mixins/rooms.ts";
import { problem } from "../contracts/errors.ts";
import { groupsNode } from "./actor/actors.ts";
import { command, unreadOf } from "./actor/command.ts";
import type { GroupState } from "./domain/group.ts";
import { asDeed } from "./domain/flags.ts";
import { asMember } from "./domain/group.ts";
import { deleteMessage, editMessage, emojiOf, react, readTo } from "./domain/messages.ts";
import { post } from "./messages/post.ts";
import { viewIn } from "./messages/shown.ts";
import { markRead, readMarksOf } from "./store/members.ts";
import type { GroupReads } from "./store/reads.ts";
import type { MessageRow } from "./store/messages.ts";
import { reactionsOf, standingReactions } from "./store/messages.ts";

/**
 * What was said up to where somebody is known to be a member. What this process knows may be older than the store (another has written
 * it): whoever was removed meanwhile must not read on there.
 */
const upToHead = ({ messagesFrom, findMessage }: GroupReads, { head }: GroupState): Pick<GroupReads, "messagesFrom" | "findMessage"> => ({
	async messagesFrom(groupId, viewer, from, limit) {
		const bounded = "after" in from ? from : { before: Math.min(from.before ?? head + 1, head + 1) };
		return (await messagesFrom(groupId, viewer, bounded, limit)).filter(({ seq }) => seq <= head);
	},
	findMessage: async (groupId, viewer, seq) => (seq > head ? undefined : findMessage(groupId, viewer, seq)),
});

/** A page begins at one place: two of them would contradict each other. A cursor goes on wherever the first page began. */
function onePlace({ cursor, ...places }: { cursor?: string; before?: number; after?: number; around?: number }): void {
	const [, second] = (["before", "after", "around"] as const).filter((name) => places[name] !== undefined);
	if (cursor === undefined && second)
		throw problem("validation", { errors: [{ path: second, code: "conflict", message: "Give one of before, after and around." }] });
}

export default service("messages", {
	node: groupsNode,

	actions: {
		async post(ctx, node) {
			const { groupId, clientId } = ctx.params;
			return node.once(`${groupId} ${ctx.caller.profileId} ${clientId}`, () => post(node, ctx));
		},

		async page(ctx, node) {
			const { groupId, limit, around } = ctx.params;
			const viewer = ctx.caller.profileId;
			const reads = upToHead(node.reads, asMember(await node.read(groupId, viewer), viewer).group);
			const view = (rows: readonly MessageRow[]) => viewIn(node, ctx.broker, groupId, rows);
			onePlace(ctx.params);
			if (around !== undefined && ctx.params.cursor === undefined) {
				const half = Math.floor(limit / 2);
				const older = await reads.messagesFrom(groupId, viewer, { before: around }, half);
				const newer = await reads.messagesFrom(groupId, viewer, { after: around - 1 }, limit - older.length + 1);
				const shown = newer.slice(0, limit - older.length);
				const last = shown.at(-1);
				return {
					data: await view([...older.reverse(), ...shown]),
					nextCursor: newer.length > shown.length && last ? encodeCursor(["after", last.seq]) : null,
				};
			}
			const [direction, edge] =
				decodeCursor(ctx.params.cursor, ["word", "number"]) ??
				(ctx.params.after === undefined ? ["before", ctx.params.before] : ["after", ctx.params.after]);
			if (direction === "after") {
				const rows = await reads.messagesFrom(groupId, viewer, { after: Number(edge) }, limit + 1);
				const shown = rows.slice(0, limit);
				return { data: await view(shown), nextCursor: rows.length > limit ? encodeCursor(["after", shown.at(-1)?.seq ?? 0]) : null };
			}
			const rows = await reads.messagesFrom(groupId, viewer, { before: edge === undefined ? null : Number(edge) }, limit + 1);
			const shown = rows.slice(0, limit).reverse();
			return { data: await view(shown), nextCursor: rows.length > limit ? encodeCursor(["before", shown[0]?.seq ?? 0]) : null };
		},

		async show(ctx, node) {
			const { groupId, seq } = ctx.params;
			const reads = upToHead(node.reads, asMember(await node.read(groupId, ctx.caller.profileId), ctx.caller.profileId).group);
			const row = await reads.findMessage(groupId, ctx.caller.profileId, seq);
			const [message] = row ? await viewIn(node, ctx.broker, groupId, [row]) : [];
			if (!message) throw problem("not-found");
			return message;
		},

		async edit(ctx, node) {
			const { groupId, seq, content } = ctx.params;
			const { eventSeq } = await command(node, ctx, groupId, async (state, moment) =>
				editMessage(state, moment, await node.reads.findTarget(groupId, seq), content),
			);
			const row = await node.reads.findMessage(groupId, ctx.caller.profileId, seq);
			const [message] = row ? await viewIn(node, ctx.broker, groupId, [row]) : [];
			if (!message) throw problem("not-found");
			return { ...message, eventSeq };
		},

		async remove(ctx, node) {
			const { groupId, seq } = ctx.params;
			const { profileId: byId, accountId } = ctx.caller;
			const deleted = await command(node, ctx, groupId, async (state, moment) => {
				const target = await node.reads.findTarget(groupId, seq);
				const decision = deleteMessage(state, moment, target);
				if (!target || target.senderId === byId) return decision;
				const deed = { groupId, deed: "message.delete", office: "group" as const, byId, accountId, seq };
				return asDeed(decision, { ...deed, profileId: target.senderId });
			});
			return { room: node.log.nameOf(groupId), seq: deleted.seq };
		},

		async react(ctx, node) {
			const { groupId, seq, remove } = ctx.params;
			const { profileId } = ctx.caller;
			const emoji = emojiOf(ctx.params.emoji);
			const reacted = await command(node, ctx, groupId, async (state, moment) => {
				const [target, standing] = await Promise.all([
					node.reads.findTarget(groupId, seq),
					standingReactions(node.db, groupId, seq, profileId),
				]);
				return react(state, moment, target, emoji, !remove, standing);
			});
			return { room: node.log.nameOf(groupId), seq: reacted.seq, reactions: await reactionsOf(node.db, groupId, seq, profileId) };
		},

		async events(ctx, { log, read }) {
			const { groupId, after, limit } = ctx.params;
			const { group } = asMember(await read(groupId, ctx.caller.profileId), ctx.caller.profileId);
			const { head } = group;
			return { data: (await log.page(groupId, after, limit, head)).filter((event) => event.seq <= head), head };
		},

		async read(ctx, node) {
			const { groupId } = ctx.params;
			const { profileId } = ctx.caller;
			const mark = readTo(await node.read(groupId, profileId), profileId, ctx.params.seq);
			const seq = await markRead(node.db, groupId, profileId, mark);
			node.wrote(groupId);
			const { group, me } = asMember(await node.read(groupId, profileId), profileId);
			me.readSeq = Math.max(me.readSeq, seq);
			roomBus(ctx.broker).signal(
				node.log.nameOf(groupId),
				{ type: "read", groupId, profileId, seq: me.readSeq },
				ctx.meta.socketId,
				me.readSeq,
			);
			return { groupId, seq: me.readSeq, unread: await unreadOf(node, group, profileId) };
		},

		async heads(ctx, node) {
			const known = await node.log.carrier.heads(ctx.params.keys);
			return { heads: ctx.params.keys.map((key) => known.get(key) ?? 0) };
		},

		async readMarks(ctx, { db }) {
			const known = await readMarksOf(db, ctx.params.profileId, ctx.params.groupIds);
			return { marks: ctx.params.groupIds.map((id) => known.get(id) ?? null) };
		},

		async openRoom(ctx, { log, read }) {
			const { key, after, limit } = ctx.params;
			const { group } = asMember(await read(key, ctx.caller.profileId), ctx.caller.profileId);
			if (after !== undefined && after > group.head) throw problem("seq-ahead", { head: group.head });
			return log.opened(key, group.head, after, limit);
		},
	},
});
