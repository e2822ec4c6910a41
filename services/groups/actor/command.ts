// What every handler of this node needs around a decision: the caller's moment, the mailbox, the Idempotency-Key.
import type { ServiceBroker } from "moleculer";
import { newId } from "../../../mixins/id.ts";
import { onceClaimed } from "../../../mixins/idempotency.ts";
import { picture } from "../../../mixins/pictures.ts";
import type { Page } from "../../../mixins/cursor.ts";
import { problem } from "../../contracts/errors.ts";
import type { Group } from "../../contracts/groups.ts";
import type { Ctx } from "../../contracts/index.ts";
import { DELETED } from "../../contracts/persons.ts";
import type { GroupsNode } from "./actors.ts";
import type { GroupDecision, Moment } from "../domain/decision.ts";
import type { Caller, GroupState, Member } from "../domain/group.ts";
import { mutedAt, viewGroup } from "../domain/group.ts";
import { facesOf } from "../people/faces.ts";
import type { ListedGroup } from "../store/reads.ts";
import { knowing } from "./known.ts";
import { nameOf } from "../store/profiles.ts";

type AnyCtx = Ctx<unknown>;

type Decide<R> = (state: GroupState | null, moment: Moment, ahead: number) => GroupDecision<R> | Promise<GroupDecision<R>>;

interface Options {
	/** Only appends: may share a commit with others. Without it the command runs in a commit of its own. */
	together?: boolean;
}

/**
 * Runs a decision in the group's mailbox and answers what it answers, once it is stored. With an Idempotency-Key the
 * answer is kept in the same transaction, and a repetition gets the kept one.
 */
export async function command<R>(node: GroupsNode, ctx: AnyCtx, groupId: string, decide: Decide<R>, options: Options = {}): Promise<R> {
	const { profileId, displayName } = ctx.caller;
	return commandBy(node, ctx, { profileId, displayName }, groupId, named(node, decide, options), options);
}

/**
 * A member is called as the group knows them, whatever an older token says. Who becomes one is looked up, unless the command only
 * appends; who is gone becomes none.
 */
function named<R>(node: GroupsNode, decide: Decide<R>, { together = false }: Options): Decide<R> {
	return (state, moment, ahead) => {
		const { profileId, displayName } = moment.by;
		const called = (name: string) => (name === displayName ? moment : { ...moment, by: { profileId, displayName: name } });
		const known = state?.members.get(profileId)?.displayName;
		if (known !== undefined || together) return decide(state, called(known ?? displayName), ahead);
		return nameOf(node.db, profileId).then((name) => {
			if (name === null) throw problem("invalid-token");
			return decide(state, called(name ?? displayName), ahead);
		});
	};
}

/** The same as the doing of somebody who does not call. */
export async function commandBy<R>(
	node: GroupsNode,
	ctx: AnyCtx,
	by: Caller,
	groupId: string,
	decide: Decide<R>,
	{ together = false }: Options = {},
): Promise<R> {
	const moment = { by, at: new Date().toISOString(), id: newId() };
	return onceClaimed(ctx, node.db, (claim) => {
		const around = { requestId: ctx.requestId, actor: moment.by.profileId, claim };
		return node.actors.submit<R>(
			groupId,
			{
				alone: !together || claim !== undefined,
				decide: (state, ahead) => {
					const made = knowing(node.db, state, () => decide(state, moment, ahead));
					return made instanceof Promise ? made.then((decision) => ({ ...decision, ...around })) : { ...made, ...around };
				},
			},
			ctx.deadline,
		);
	});
}

/** A group as the profile sees it; an avatar's link is open where the group is, else for some hours. */
export function showGroup(broker: ServiceBroker, group: GroupState, profileId: string, unread: number): Group {
	const now = new Date();
	return withPicture(broker, viewGroup(group, profileId, unread, now), now);
}

const withPicture = <G extends Pick<Group, "isPublic"> & { avatar: string | null }>(broker: ServiceBroker, group: G, now: Date) => ({
	...group,
	avatar: group.avatar === null ? null : picture(broker, group.avatar, { open: group.isPublic }, now),
});

/** The same with what is unread, and of a direct talk the face of the other one. */
export async function showGroupNow(
	node: GroupsNode,
	{ broker }: Pick<AnyCtx, "broker">,
	group: GroupState,
	profileId: string,
): Promise<Group> {
	const { peer, ...rest } = showGroup(broker, group, profileId, await unreadOf(node, group, profileId));
	return { ...rest, peer: peer && { ...peer, ...(await facesOf(node.db, broker, [peer.profileId]))(peer.profileId) } };
}

/** A page of them, as the store has it. */
export async function shown(
	{ db }: GroupsNode,
	{ broker }: Pick<AnyCtx, "broker">,
	{ data, nextCursor }: Page<ListedGroup>,
): Promise<Page<Group>> {
	const now = new Date();
	const faces = await facesOf(
		db,
		broker,
		data.flatMap(({ peer }) => (peer ? [peer.profileId] : [])),
	);
	const view = ({ peer, mutedUntil, ...group }: ListedGroup) => ({
		...withPicture(broker, group, now),
		name: group.kind === "direct" ? (peer?.displayName ?? DELETED.displayName) : group.name,
		peer: peer && { ...peer, ...faces(peer.profileId) },
		mutedUntil: mutedAt(mutedUntil, now),
	});
	return { data: data.map(view), nextCursor };
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
