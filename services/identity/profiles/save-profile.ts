// A profile as it is from now on, whoever changed it: its owner, or the directory that it came from.
import type { Cause, Tx } from "../../../mixins/node.ts";
import { tellFacts } from "../../../mixins/node.ts";
import type { StoredProfile } from "../domain/profile.ts";
import { updateProfile } from "../store/profiles.ts";

export async function saveProfile(tx: Tx, cause: Cause, accountId: string, profile: StoredProfile, now: Date): Promise<void> {
	await updateProfile(tx, profile, now);
	const { id: profileId, displayName, kind, bio = null, avatar } = profile;
	const payload = { accountId, profileId, displayName, kind, bio, avatar: avatar?.id ?? null };
	await tellFacts(tx, cause, [{ type: "identity.profile.updated", aggregate: accountId, payload }]);
}
