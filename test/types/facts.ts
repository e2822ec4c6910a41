// Facts: told complete and heard by name, or it does not compile. Checked by tsc alone; nothing here runs.
import type { NewFact } from "../../mixins/facts/index.ts";
import type { AnyFact, Fact, FactName, FactPayload } from "../../services/contracts/index.ts";

const id = "0199c0de-0000-7000-8000-000000000001";

export const told: NewFact[] = [
	{ type: "groups.group.deleted", aggregate: id, payload: { groupId: id } },
	// @ts-expect-error there is no such fact
	{ type: "groups.group.burnt", aggregate: id, payload: { groupId: id } },
	// @ts-expect-error a fact is complete: no receiver calls the teller back
	{ type: "groups.member.joined", aggregate: id, payload: { groupId: id, profileId: id } },
	// @ts-expect-error the payload of another fact
	{ type: "groups.group.deleted", aggregate: id, payload: { groupId: id, profileId: id, role: "member" } },
	// @ts-expect-error a value that is none of the several
	{ type: "groups.member.joined", aggregate: id, payload: { groupId: id, profileId: id, role: "owner" } },
	// @ts-expect-error what it is about is said, for the order
	{ type: "groups.group.deleted", payload: { groupId: id } },
];

// @ts-expect-error there is no such fact
export const misnamed: FactName = "groups.group.burnt";
type Posted = FactPayload<"groups.message.posted">;
const posted: Posted = { groupId: id, seq: 1, messageId: id, senderId: id, kind: "text", content: "x" };
// @ts-expect-error an optional field is not nullable
export const nulled: Posted = { ...posted, replyTo: null };

export function heard(posted: Fact<"groups.message.posted">, any: AnyFact): number {
	const by: string | null = posted.actor;
	// @ts-expect-error the fact has no such field
	const room = posted.payload.room;
	// @ts-expect-error nobody may be the actor
	posted.actor.length;
	if (any.type === "gamification.level.reached") {
		// @ts-expect-error of the level reached there is no groupId
		console.log(any.payload.groupId, by, room);
		return any.payload.level;
	}
	// @ts-expect-error not every other fact has a level
	return any.payload.level;
}
