// Who asks to join a private group, and what its moderators say to it. Pure.
import { problem } from "../../contracts/errors.ts";
import { together } from "./decision.ts";
import type { GroupDecision, Moment, OpenInvite } from "./decision.ts";
import { asModerator } from "./bans.ts";
import type { Caller, GroupState } from "./group.ts";
import type { Part } from "./ended.ts";
import { accepted } from "./ended.ts";
import { joined } from "./members.ts";

interface Answered<S extends string> {
	groupId: string;
	profileId: string;
	role: "member";
	state: S;
}

/**
 * @param who asks; undefined where nobody of that id does
 * @param invite an open one to them: it is answered by that, too
 */
export function acceptRequest(
	state: GroupState | null,
	moment: Moment,
	who: Caller | undefined,
	invite: OpenInvite | undefined,
): GroupDecision<Answered<"member">> {
	const { group } = asModerator(state, moment.by.profileId);
	if (!who) throw problem("not-found");
	const { profileId } = who;
	const groupId = group.id;
	const answered: Part = {
		events: [],
		facts: () => [
			{
				type: "groups.request.accepted",
				aggregate: groupId,
				payload: { groupId, groupName: group.name, profileId, byId: moment.by.profileId },
			},
		],
		effects: [{ kind: "endRequest", profileId }],
	};
	// One who became a member meanwhile is one already.
	const parts = group.members.has(profileId) ? [] : [joined(group, moment, "member", who)];
	return together([...parts, answered, ...(invite ? [accepted(group, moment, invite, profileId)] : [])], {
		...{ groupId, profileId, role: "member", state: "member" },
	});
}

/** They may ask again. */
export function declineRequest(state: GroupState | null, moment: Moment, who: Caller | undefined): GroupDecision<Answered<"declined">> {
	const { group } = asModerator(state, moment.by.profileId);
	if (!who) throw problem("not-found");
	const { profileId } = who;
	const payload = { groupId: group.id, profileId, byId: moment.by.profileId };
	return {
		events: [],
		facts: () => [{ type: "groups.request.declined", aggregate: group.id, payload }],
		effects: [{ kind: "endRequest", profileId }],
		answer: () => ({ groupId: group.id, profileId, role: "member", state: "declined" }),
	};
}
