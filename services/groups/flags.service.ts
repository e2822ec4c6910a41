// Moderation: members report messages, moderators of the group and of the platform look at them. What they do is told, and kept in the audit.
import { newId, once, pageById, service, tellFacts } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Flag, FlagState } from "../contracts/flags.ts";
import type { Ctx } from "../contracts/index.ts";
import type { GroupsNode } from "./actor/actors.ts";
import { groupsNode } from "./actor/actors.ts";
import { command } from "./actor/command.ts";
import { asDeed, asModerator, deedDone, mayFlag, maySettle, moderatorsOf } from "./domain/flags.ts";
import { deleteForAll } from "./domain/messages.ts";
import { keyOf, messagesAt } from "./messages/places.ts";
import type { FlagRow } from "./store/flags.ts";
import { addFlag, findFlag, flagsIn, settleFlag } from "./store/flags.ts";

/** With the messages they are about, in their present state. */
async function shown(node: GroupsNode, ctx: Ctx, rows: readonly FlagRow[]): Promise<(FlagRow & Pick<Flag, "message">)[]> {
	const messages = await messagesAt(node, ctx.broker, ctx.caller.profileId, rows);
	return rows.map((row) => ({ ...row, message: messages.get(keyOf(row)) ?? null }));
}

/** As the group's own moderators see it. */
const unnamed = ({ reporterId: _reporterId, groupName: _groupName, ...flag }: FlagRow & Pick<Flag, "message">): Flag => flag;

async function settle(
	node: GroupsNode,
	ctx: Ctx,
	flag: FlagRow,
	state: Exclude<FlagState, "open">,
	note: string | null,
	office: "group" | "platform",
) {
	const { groupId, seq, id: flagId } = flag;
	const { profileId: byId, accountId } = ctx.caller;
	const target = await node.reads.findTarget(groupId, seq);
	maySettle(byId, target);
	const at = new Date().toISOString();
	const deed = { groupId, deed: state === "resolved" ? "flag.resolve" : "flag.dismiss", office, byId, accountId, seq, flagId };
	return once(ctx, node.db, async (tx) => {
		if (!(await settleFlag(tx, flagId, { state, byId, at, note }))) {
			throw problem("wrong-state", { state: (await findFlag(tx, flagId))?.state ?? "dismissed" });
		}
		await tellFacts(tx, ctx, [deedDone({ ...deed, ...(target && { profileId: target.senderId }) })]);
		const [answer] = await shown(node, ctx, [{ ...flag, state, settledBy: byId, settledAt: at, note }]);
		return answer as FlagRow & Pick<Flag, "message">;
	});
}

export default service("flags", {
	node: groupsNode,

	actions: {
		async raise(ctx, node) {
			const { groupId, seq, reason } = ctx.params;
			const { profileId: reporterId } = ctx.caller;
			const state = await node.read(groupId, reporterId);
			const { group, target } = mayFlag(state, reporterId, state ? await node.reads.findTarget(groupId, seq) : undefined);
			const flag = { id: newId(), groupId, seq, reason, createdAt: new Date().toISOString() };
			return once(ctx, node.db, async (tx) => {
				const known = await addFlag(tx, { ...flag, reporterId });
				if (known) throw problem("already-flagged", { flagId: known });
				const payload = { groupId, groupName: group.name, seq, flagId: flag.id, senderId: target.senderId };
				const moderators = moderatorsOf(group, target.senderId);
				await tellFacts(tx, ctx, [{ type: "groups.message.flagged", aggregate: groupId, payload: { ...payload, moderators } }]);
				return { ...flag, state: "open" as const };
			});
		},

		async ofGroup(ctx, node) {
			const { groupId, state } = ctx.params;
			asModerator(await node.read(groupId, ctx.caller.profileId), ctx.caller.profileId);
			const page = await pageById(ctx.params, (before, limit) => flagsIn(node.db, groupId, state, before, limit));
			return { ...page, data: (await shown(node, ctx, page.data)).map(unnamed) };
		},

		async settle(ctx, node) {
			const { groupId, flagId, state, note = null } = ctx.params;
			asModerator(await node.read(groupId, ctx.caller.profileId), ctx.caller.profileId);
			const flag = await findFlag(node.db, flagId);
			if (flag?.groupId !== groupId) throw problem("not-found");
			return unnamed(await settle(node, ctx, flag, state, note, "group"));
		},

		async all(ctx, node) {
			const { groupId = null, state } = ctx.params;
			const page = await pageById(ctx.params, (before, limit) => flagsIn(node.db, groupId, state, before, limit));
			return { ...page, data: await shown(node, ctx, page.data) };
		},

		async settleAny(ctx, node) {
			const { flagId, state, note = null } = ctx.params;
			const flag = await findFlag(node.db, flagId);
			if (!flag) throw problem("not-found");
			return settle(node, ctx, flag, state, note, "platform");
		},

		async removeMessage(ctx, node) {
			const { groupId, seq } = ctx.params;
			const { profileId: byId, accountId } = ctx.caller;
			const removed = await command(node, ctx, groupId, async (state, moment) => {
				const target = await node.reads.findTarget(groupId, seq);
				const decision = deleteForAll(state, moment, target);
				const deed = { groupId, deed: "message.delete", office: "platform" as const, byId, accountId, seq };
				return asDeed(decision, { ...deed, ...(target && { profileId: target.senderId }) });
			});
			return { room: node.log.nameOf(groupId), seq: removed.seq };
		},
	},
});
