// A talk of two people: a group that neither runs, nobody joins, and nobody leaves. Pure.
import { problem } from "../../contracts/errors.ts";
import { nothing } from "./decision.ts";
import type { GroupDecision, Moment } from "./decision.ts";
import type { Caller, GroupState } from "./group.ts";

/** Made by whoever of the two comes first; for the other it is there. */
export function openDirect(state: GroupState | null, groupId: string, moment: Moment, peer: Caller): GroupDecision<null> {
	if (state) {
		if (!state.members.has(moment.by.profileId)) throw problem("not-found");
		return nothing(null);
	}
	const group = { name: "direct", description: "", isPublic: false, kind: "direct" } as const;
	return {
		events: [
			{ ...moment, type: "group", action: "created", group },
			{ ...moment, type: "member", action: "joined", ...peer, role: "member" },
		],
		facts: () => [
			{ type: "groups.direct.created", aggregate: groupId, payload: { groupId, profileIds: [moment.by.profileId, peer.profileId] } },
		],
		effects: [],
		answer: () => null,
	};
}

/** Throws where one of a talk has blocked the other: what is there already is no way round it. */
export function notBlocked({ kind, blocked }: Pick<GroupState, "kind" | "blocked">): void {
	if (kind === "direct" && blocked) throw problem("blocked");
}

/** Throws where nothing can be said: one has blocked the other, or nobody is there to hear it. */
export function mayTalk({ kind, blocked, members }: Pick<GroupState, "kind" | "blocked" | "members">): void {
	notBlocked({ kind, blocked });
	if (kind === "direct" && members.size < 2) throw problem("gone", { detail: "The other profile is gone." });
}
