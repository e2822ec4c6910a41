// A member is gone for good: nobody asks them for a successor. Pure.
import { nothing } from "./decision.ts";
import type { GroupDecision, GroupFact, Moment } from "./decision.ts";
import type { GroupEvent, GroupState } from "./group.ts";
import { gone } from "./life.ts";

/**
 * The last admin is followed by who ranks highest, and of those by who has been there longest. The last member's departure ends the group.
 * Who leaves in their own name (`moment.by`) is called as the group knows them.
 */
export function depart(state: GroupState | null, moment: Moment, profileId: string): GroupDecision<Record<string, never>> {
	const me = state?.members.get(profileId);
	if (!state || !me) return nothing({});
	const by = moment.by.profileId === profileId ? { profileId, displayName: me.displayName } : moment.by;
	const now = { ...moment, by };
	if (state.members.size === 1) return gone(state, now);
	const events: GroupEvent[] = [];
	const facts: GroupFact[] = [];
	const groupId = state.id;
	const successor = me.role === "admin" && state.members.admins() === 1 ? state.members.firstBeside(profileId) : undefined;
	if (successor) {
		const [id, { displayName }] = successor;
		events.push({ ...now, type: "member", action: "roleChanged", profileId: id, displayName, role: "admin" });
		facts.push({ type: "groups.member.roleChanged", aggregate: groupId, payload: { groupId, profileId: id, role: "admin" } });
	}
	events.push({ ...now, type: "member", action: "left", profileId, displayName: by.displayName });
	facts.push({ type: "groups.member.left", aggregate: groupId, payload: { groupId, profileId } });
	return { events, facts: () => facts, effects: [], answer: () => ({}) };
}
