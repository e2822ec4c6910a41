// What may be done with the profiles of an account. Pure.
import { problem } from "../../contracts/errors.ts";
import type { Profile } from "../../contracts/identity.ts";
import type { Params } from "../../contracts/index.ts";

/** A profile as this node keeps it: of its picture, the id. */
export type StoredProfile = Omit<Profile, "avatar"> & { avatar?: { id: string } };

/** A token names them all (PROFILES_IN_TOKEN in node.ts); and who makes them by the hundred is no person. */
export const MOST_PROFILES = 20;

/** Throws 409 `profile-limit`. */
export function mayHaveOneMore(count: number): void {
	if (count >= MOST_PROFILES) throw problem("profile-limit", { limit: MOST_PROFILES });
}

/**
 * The profile that may be deleted, of all of the account. Throws 404 where it is not among them, 409 `last-profile`, and 409
 * `active-profile` for one that the caller's token or session is for.
 */
export function mayDelete(profileId: string, profiles: readonly StoredProfile[], active: readonly string[]): StoredProfile {
	const profile = profiles.find(({ id }) => id === profileId);
	if (!profile) throw problem("not-found");
	if (profiles.length === 1) throw problem("last-profile");
	if (active.includes(profileId)) throw problem("active-profile");
	return profile;
}

type Change = Omit<Params<"profiles.update">, "profileId">;

/** The profile after a change. What is not named stays; `null`, and a bio without a letter, take away. */
export function changed({ bio, avatar, ...profile }: StoredProfile, change: Change): StoredProfile {
	const next = {
		bio: change.bio === undefined ? bio : change.bio || undefined,
		avatar: change.avatar === undefined ? avatar : change.avatar === null ? undefined : { id: change.avatar },
	};
	return {
		...profile,
		displayName: change.displayName ?? profile.displayName,
		...(next.bio === undefined ? {} : { bio: next.bio }),
		...(next.avatar === undefined ? {} : { avatar: next.avatar }),
	};
}

/** Whether a change has changed nothing. */
export const isSame = (one: StoredProfile, other: StoredProfile): boolean =>
	one.displayName === other.displayName && one.bio === other.bio && one.avatar?.id === other.avatar?.id;
