// Saying something in a group: what is written is looked up and decided, and whoever says it again hears what became of it the first time.
import { describePictures } from "../../../mixins/pictures.ts";
import { isProblem } from "../../contracts/errors.ts";
import type { Ctx, Params } from "../../contracts/index.ts";
import type { NewEvent } from "../../../mixins/log-carrier.ts";
import type { GroupsNode } from "../actor/actors.ts";
import { command } from "../actor/command.ts";
import { nothing } from "../domain/decision.ts";
import { asMember } from "../domain/group.ts";
import type { GroupState, MessageBody } from "../domain/group.ts";
import type { Around } from "../domain/messages.ts";
import { checkWritten, post as decide } from "../domain/messages.ts";
import { known } from "../actor/known.ts";
import { firstAnswer, showBody } from "./shown.ts";
import { apartFrom } from "../store/direct.ts";

type Said = Ctx<Params<"messages.post">>;

/** What was said, as it is kept: pictures as what they are, everybody mentioned once. */
async function written(ctx: Said): Promise<Omit<MessageBody, "id">> {
	const { clientId, kind, content, replyTo, itemId, mentions = [], attachments = [] } = ctx.params;
	checkWritten({ kind, content, attachments, ...(itemId !== undefined && { itemId }) });
	const pictures = await describePictures(ctx, "attachments", attachments);
	return {
		clientId,
		kind: "text",
		content,
		...(replyTo === undefined ? {} : { replyTo }),
		...(mentions.length > 0 ? { mentions: [...new Set(mentions)] } : {}),
		...(pictures.length > 0 ? { attachments: pictures } : {}),
	};
}

/** What the store knows about what it refers to; undefined where it refers to nothing. */
function around(node: GroupsNode, state: GroupState | null, senderId: string, said: Omit<MessageBody, "id">): Promise<Around> | undefined {
	const { replyTo, mentions = [] } = said;
	if (!state || (replyTo === undefined && mentions.length === 0)) return undefined;
	const look = async () => {
		const [repliedTo, apart] = await Promise.all([
			replyTo === undefined ? undefined : node.reads.findTarget(state.id, replyTo),
			mentions.length > 0 ? apartFrom(node.db, [senderId]) : undefined,
		]);
		await known(node.db, state, repliedTo ? [...mentions, repliedTo.senderId] : mentions);
		return { repliedTo, deaf: new Set(apart?.get(senderId)) };
	};
	return look();
}

async function say(node: GroupsNode, ctx: Said) {
	const { groupId } = ctx.params;
	const said = await written(ctx);
	const room = node.log.nameOf(groupId);
	const stored = await command(
		node,
		ctx,
		groupId,
		(state, moment) => {
			const message: MessageBody = { id: moment.id, ...said };
			const decided = (known?: Around) => ({
				...decide(state, moment, message, known),
				answer: ([seq = 0]: number[]) => {
					const shown = showBody(ctx.broker, message);
					return { ...shown, room, seq, at: moment.at, by: moment.by, reactions: [], replayed: false };
				},
			});
			return around(node, state, moment.by.profileId, said)?.then(decided) ?? decided();
		},
		{ together: true },
	);
	return "stored" in stored ? { ...firstAnswer(ctx.broker, stored.stored as NewEvent), room, replayed: true } : stored;
}

/**
 * What is refused now may have been said before: a mentioned member has left since, what it replied to is deleted. Then it is the
 * first result that counts.
 */
export async function post(node: GroupsNode, ctx: Said) {
	try {
		return await say(node, ctx);
	} catch (error) {
		if (!isProblem(error, "validation")) throw error;
		const { groupId, clientId } = ctx.params;
		const { profileId } = ctx.caller;
		asMember(await node.read(groupId, profileId), profileId);
		const stored = await node.log.carrier.byClientId(groupId, profileId, clientId);
		if (!stored) throw error;
		const answer = { ...firstAnswer(ctx.broker, stored), room: node.log.nameOf(groupId), replayed: true };
		return command(node, ctx, groupId, () => nothing(answer), { together: true });
	}
}
