// The end of a profile, whoever decides it: its owner, or whoever erases the account.
import type { Tx } from "../../../mixins/node.ts";
import { tellFacts } from "../../../mixins/node.ts";
import type { StoredProfile } from "../domain/profile.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { IdentityNode } from "../node.ts";
import { revokeProfile, revokeSessions } from "../node.ts";
import { deleteProfile } from "../store/profiles.ts";

/**
 * Deletes a profile with all that speaks for it: sessions that are for it end, and its tokens are refused, whatever session they are
 * of. Its account must be locked (`lockProfiles`), or be deleted in the same transaction.
 */
export async function dropProfile(
	node: IdentityNode,
	tx: Tx,
	ctx: Ctx<unknown>,
	accountId: string,
	profile: StoredProfile,
	now: Date,
): Promise<void> {
	await revokeSessions(node, tx, ctx, { profileId: profile.id }, "profile", now);
	await deleteProfile(tx, profile.id, now);
	revokeProfile(node, tx, ctx, profile.id, now);
	const payload = { accountId, profileId: profile.id, kind: profile.kind };
	await tellFacts(tx, ctx, [{ type: "identity.profile.deleted", aggregate: accountId, payload }]);
}
