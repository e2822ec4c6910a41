// How the log of a group, and what was decided with its events, shows in the tables of this node.
import type { KeptAnswer } from "../../../mixins/idempotency.ts";
import { keep } from "../../../mixins/idempotency.ts";
import type { Entry, Projection } from "../../../mixins/log-carrier.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import type { Effect } from "../domain/decision.ts";
import type { GroupEvent } from "../domain/group.ts";
import { toGroupEvent } from "./events.ts";
import { writeGroup } from "./groups.ts";
import { endInvite, writeInvite } from "./invites.ts";
import type { InviteTools } from "./invites.ts";
import { writeMember } from "./members.ts";
import { endRequest, unban, writeJoinRequest } from "./standing.ts";
import { writeDeletion, writeEdit, writeReaction } from "./messages.ts";

/** What was decided with an event besides it. */
export type Deed = Effect | { kind: "keep"; answer: KeptAnswer };

const refuse = () => Promise.reject(new Error("No invites are made or ended from here."));
const NOBODY: InviteTools = { plan: refuse, cancel: refuse, send: refuse };

/**
 * How the log of a group shows in the tables of this node. `late`: the events are committed already, in another store, which
 * has made sure that no key is used twice; nothing of this may fail for what it finds.
 */
export const projection = ({ late, invites = NOBODY }: { late: boolean; invites?: InviteTools }): Projection<Deed> => ({
	concerns: ({ event, deeds }) => event.type !== "message" || deeds.length > 0,
	async write(tx, { event, deeds }: Entry<Deed>) {
		await project(tx, event.room, event.seq, toGroupEvent(event));
		for (const deed of deeds) {
			if (deed.kind === "keep") await keep(tx, deed.answer, { unlessKept: late });
			else await applyEffect(tx, event.room, deed, invites);
		}
	},
	erases(row) {
		const event = toGroupEvent(row);
		if (event.type === "deleted") return { text: event.target };
		return event.type === "group" && event.action === "deleted" ? "before" : undefined;
	},
});

/** Writes what an event implies besides its row in the log. */
async function project(tx: Tx, groupId: string, seq: number, event: GroupEvent): Promise<void> {
	switch (event.type) {
		case "message":
			return;
		case "edited":
			return writeEdit(tx, groupId, event);
		case "deleted":
			return writeDeletion(tx, groupId, event);
		case "reacted":
			return writeReaction(tx, groupId, event);
		case "member":
			return writeMember(tx, groupId, seq, event);
		case "group":
			return writeGroup(tx, groupId, seq, event);
		default:
			return event satisfies never;
	}
}

/** Writes what a decision asks for besides events. */
export async function applyEffect(tx: Tx, groupId: string, effect: Effect, invites: InviteTools): Promise<void> {
	switch (effect.kind) {
		case "requestJoin":
			return writeJoinRequest(tx, groupId, effect);
		case "endRequest":
			return endRequest(tx, groupId, effect.profileId);
		case "unban":
			return unban(tx, groupId, effect.profileId);
		case "addInvite":
			return writeInvite(tx, groupId, effect, invites);
		case "endInvite":
			return endInvite(tx, effect, invites);
		default:
			return effect satisfies never;
	}
}
