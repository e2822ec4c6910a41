// Who may not be in a group. Pure.
import { problem } from "../../contracts/errors.ts";
import { nothing, together } from "./decision.ts";
import type { GroupDecision, GroupFact, Moment, OpenInvite } from "./decision.ts";
import type { Caller, GroupState } from "./group.ts";
import { asMember, atLeast, outranks } from "./group.ts";
import type { Part } from "./ended.ts";
import { revoked } from "./ended.ts";
import type { Standing } from "./members.ts";

/** Moderators and admins look after who may not come in. */
export function asModerator(state: GroupState | null, profileId: string) {
	const mine = asMember(state, profileId);
	if (!atLeast(mine.me.role, "moderator")) throw problem("forbidden");
	return mine;
}

/**
 * Keeps somebody out, a member or not: what they asked for and were asked ends, and the invites they made do. Twice is once.
 * @param invites open ones: to them, and by them
 */
export function ban(
	state: GroupState | null,
	moment: Moment,
	who: Caller,
	{ banned, requested }: Pick<Standing, "banned" | "requested">,
	invites: readonly OpenInvite[] = [],
): GroupDecision<Record<string, never>> {
	const { group, me } = asModerator(state, moment.by.profileId);
	const { profileId } = who;
	const other = group.members.get(profileId);
	if (profileId === moment.by.profileId || (other && !outranks(me.role, other.role))) throw problem("rank");
	if (banned) return nothing({});
	const [groupId, byId] = [group.id, moment.by.profileId];
	const payload = { groupId, profileId, byId };
	const facts: GroupFact[] = [
		...(other ? [{ type: "groups.member.kicked" as const, aggregate: groupId, payload }] : []),
		{ type: "groups.member.banned", aggregate: groupId, payload },
		...(requested ? [{ type: "groups.request.declined" as const, aggregate: groupId, payload }] : []),
	];
	const displayName = other?.displayName ?? who.displayName;
	const part: Part = {
		events: [{ ...moment, type: "member", action: "banned", profileId, displayName, ...(other && { role: other.role }) }],
		facts: () => facts,
		effects: [],
	};
	return together([part, ...invites.map((one) => revoked(group, moment, one))], {});
}

/** They may ask, join and be invited again. That it is lifted is no event: in the group nothing happened. */
export function unban(
	state: GroupState | null,
	moment: Moment,
	profileId: string,
	{ banned }: Pick<Standing, "banned">,
): GroupDecision<Record<string, never>> {
	const { group } = asModerator(state, moment.by.profileId);
	if (!banned) return nothing({});
	const payload = { groupId: group.id, profileId, byId: moment.by.profileId };
	return {
		events: [],
		facts: () => [{ type: "groups.member.unbanned", aggregate: group.id, payload }],
		effects: [{ kind: "unban", profileId }],
		answer: () => ({}),
	};
}
