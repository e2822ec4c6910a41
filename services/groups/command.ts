// What every handler of this node needs around a decision: the caller's moment, the mailbox, the Idempotency-Key.
import { newId } from "../../mixins/id.ts";
import { onceClaimed } from "../../mixins/idempotency.ts";
import type { Ctx } from "../contracts/index.ts";
import type { GroupsNode } from "./actors.ts";
import type { GroupDecision, Moment } from "./domain/decision.ts";
import type { GroupState, Member } from "./domain/group.ts";

type AnyCtx = Ctx<unknown>;

export const momentOf = (ctx: AnyCtx): Moment => ({
	by: { profileId: ctx.caller.profileId, displayName: ctx.caller.displayName },
	at: new Date().toISOString(),
	id: newId(),
});

interface Options {
	/** Only appends: may share a commit with others. Without it the command runs in a commit of its own. */
	together?: boolean;
}

/**
 * Runs a decision in the group's mailbox and answers what it answers, once it is stored. With an Idempotency-Key the
 * answer is kept in the same transaction, and a repetition gets the kept one.
 */
export async function command<R>(
	node: GroupsNode,
	ctx: AnyCtx,
	groupId: string,
	decide: (state: GroupState | null, moment: Moment, ahead: number) => GroupDecision<R> | Promise<GroupDecision<R>>,
	{ together = false }: Options = {},
): Promise<R> {
	const moment = momentOf(ctx);
	return onceClaimed(ctx, node.db, (claim) => {
		const around = { requestId: ctx.requestId, actor: moment.by.profileId, claim };
		return node.actors.submit<R>(
			groupId,
			{
				alone: !together || claim !== undefined,
				decide: (state, ahead) => {
					const made = decide(state, moment, ahead);
					return made instanceof Promise ? made.then((decision) => ({ ...decision, ...around })) : { ...made, ...around };
				},
			},
			ctx.deadline,
		);
	});
}

const memos = new WeakMap<Member, { readSeq: number; head: number; unread: number }>();

/** How many messages of others the caller has not read; counted by the store only when the log or the mark has moved. */
export async function unreadOf(node: GroupsNode, group: GroupState, profileId: string): Promise<number> {
	const me = group.members.get(profileId);
	if (!me || me.readSeq >= group.head) return 0;
	const memo = memos.get(me);
	if (memo && memo.readSeq === me.readSeq && memo.head === group.head) return memo.unread;
	const counted = { readSeq: me.readSeq, head: group.head };
	const unread = await node.reads.countUnread(group.id, profileId, me.readSeq);
	memos.set(me, { ...counted, unread });
	return unread;
}
