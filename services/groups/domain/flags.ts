// Moderation: who may report a message, who may settle a report, and how deeds of office are told.
import { problem } from "../../contracts/errors.ts";
import type { FactPayload } from "../../contracts/index.ts";
import type { GroupDecision, GroupFact } from "./decision.ts";
import { asMember, atLeast } from "./group.ts";
import type { GroupState } from "./group.ts";
import type { Target } from "./messages.ts";

type Deed = FactPayload<"groups.moderation.done">;
/** Moderators that are told of a report. */
const MOST_TOLD = 50;

export function mayFlag(state: GroupState | null, profileId: string, target: Target | undefined): { group: GroupState; target: Target } {
	const { group } = asMember(state, profileId);
	if (!target) throw problem("not-found");
	if (target.senderId === profileId) throw problem("forbidden", { detail: "This message is your own: you can delete it." });
	if (target.deletedAt) throw problem("deleted");
	return { group, target };
}

/** Whoever looks after the group: moderators and admins. */
export function asModerator(state: GroupState | null, profileId: string): GroupState {
	const { group, me } = asMember(state, profileId);
	if (!atLeast(me.role, "moderator")) throw problem("forbidden");
	return group;
}

/** Nobody is a judge of their own words. */
export function maySettle(profileId: string, target: Target | undefined): void {
	if (target?.senderId === profileId) throw problem("forbidden", { detail: "This report is about your own message." });
}

/** Those who are told that there is something to look at: not the one it is about. */
export const moderatorsOf = ({ members }: GroupState, senderId: string): string[] =>
	members
		.staff()
		.flatMap(([profileId]) => (profileId === senderId ? [] : [profileId]))
		.slice(0, MOST_TOLD);

export const deedDone = (deed: Deed): GroupFact => ({ type: "groups.moderation.done", aggregate: deed.groupId, payload: deed });

/** The decision, told as a deed of office too, where it does anything. */
export function asDeed<R>(decision: GroupDecision<R>, deed: Deed): GroupDecision<R> {
	if (decision.events.length === 0) return decision;
	return { ...decision, facts: (seqs) => [...decision.facts(seqs), deedDone(deed)] };
}
