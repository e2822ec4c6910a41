// The consumer that hears of profiles: their new names, and that they are gone.
import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { callAction } from "../../../mixins/call.ts";
import type { Consumer } from "../../../mixins/facts/index.ts";
import { tellFacts } from "../../../mixins/facts/index.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { isProblem } from "../../contracts/errors.ts";
import type { AnyFact, Fact } from "../../contracts/index.ts";
import { groupsNode } from "../actor/actors.ts";
import { bury, endAsking, membershipsOf, rename } from "../store/profiles.ts";

/** A join that was let in before the profile was known to be gone is stored after so long (ms). */
const UNDER_WAY = 200;
/** Groups that are asked at once. */
const AT_ONCE = 20;

type Deleted = Fact<"identity.profile.deleted">;
const isDeleted = (fact: AnyFact): fact is AnyFact & Deleted => fact.type === "identity.profile.deleted";

/** What is open of profiles that are gone: invites to them and by them, and who of them asks to join. */
export async function endAll(tx: Tx, gone: readonly string[], at: string): Promise<void> {
	const { invites, requests } = await endAsking(tx, gone, at);
	await tellFacts(tx, { requestId: null, actor: null }, [
		...invites.map(({ id, groupId, inviterId, inviteeId }) => ({
			...{ type: "groups.invite.revoked" as const, aggregate: groupId },
			payload: { inviteId: id, groupId, inviterId, inviteeId, byId: null },
		})),
		...requests.map((payload) => ({ type: "groups.request.withdrawn" as const, aggregate: payload.groupId, payload })),
	]);
}

/**
 * Ends every membership of profiles that are gone. Each group decides for itself who follows its last admin, so each is asked; that is
 * no part of the consumer's transaction, and safe to do twice.
 */
async function partAll(broker: ServiceBroker, facts: readonly Deleted[]): Promise<void> {
	const { db } = groupsNode(broker);
	const requests = new Map(facts.map(({ payload, requestId }) => [payload.profileId, requestId ?? undefined]));
	const gone = [...requests.keys()];
	const now = new Date().toISOString();
	await bury(db, gone, now);
	await db.tx((tx) => endAll(tx, gone, now));
	for (;;) {
		const memberships = await membershipsOf(db, gone);
		for (let from = 0; from < memberships.length; from += AT_ONCE) {
			await Promise.all(
				memberships.slice(from, from + AT_ONCE).map(async (membership) => {
					try {
						await callAction(broker, "groups.part", membership, { meta: { requestId: requests.get(membership.profileId) } });
					} catch (error) {
						// The group itself is gone meanwhile.
						if (!isProblem(error, "not-found")) throw error;
					}
				}),
			);
		}
		await pause(UNDER_WAY);
		if ((await membershipsOf(db, gone)).length === 0) return;
	}
}

export const people: Consumer = {
	facts: ["identity.profile.updated", "identity.profile.deleted"],
	async handle(facts, tx, { broker }) {
		const { forget, wrote } = groupsNode(broker);
		for (const { type, payload, at } of facts) {
			if (type !== "identity.profile.updated") continue;
			const groupIds = await rename(tx, payload, at);
			tx.afterCommit(() => {
				for (const groupId of groupIds) {
					forget(groupId);
					wrote(groupId);
				}
			});
		}
		const deleted = facts.filter(isDeleted);
		if (deleted.length > 0) await partAll(broker, deleted);
	},
};
