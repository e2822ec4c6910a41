// The profiles of accounts.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Profile } from "../../contracts/identity.ts";
import type { StoredProfile } from "../domain/profile.ts";
import { foldName, piecesOf } from "../domain/names.ts";

/** A row as it is read; what a profile does not have it does not name. */
export interface ProfileRow extends Pick<Profile, "id" | "displayName" | "kind"> {
	bio: string | null;
	avatar: string | null;
}

export const profileColumns = `id, display_name as "displayName", kind, bio, avatar`;

export const toProfile = ({ bio, avatar, ...profile }: ProfileRow): StoredProfile => ({
	...profile,
	...(bio === null ? {} : { bio }),
	...(avatar === null ? {} : { avatar: { id: avatar } }),
});

export async function insertProfile(tx: Tx, accountId: string, profile: StoredProfile, now: Date): Promise<void> {
	const folded = foldName(profile.displayName);
	await tx.query(
		`insert into profiles (id, account_id, display_name, kind, bio, avatar, folded, pieces, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
		[
			profile.id,
			accountId,
			profile.displayName,
			profile.kind,
			profile.bio ?? null,
			profile.avatar?.id ?? null,
			folded,
			piecesOf(folded),
			now,
		],
	);
}

export async function profilesOf(db: Queryable, accountId: string, after: string | null = null, limit = 1000): Promise<StoredProfile[]> {
	const rows = await db.query<ProfileRow>(
		`select ${profileColumns} from profiles where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
		[accountId, after, limit],
		"profiles-of",
	);
	return rows.map(toProfile);
}

export async function findProfile(db: Queryable, profileId: string): Promise<StoredProfile | undefined> {
	const [row] = await db.query<ProfileRow>(`select ${profileColumns} from profiles where id = $1`, [profileId], "profile");
	return row && toProfile(row);
}

/** Whose profile it is; null where it is gone. */
export async function accountOf(db: Queryable, profileId: string): Promise<string | null> {
	const [row] = await db.query<{ accountId: string }>(`select account_id as "accountId" from profiles where id = $1`, [profileId]);
	return row?.accountId ?? null;
}

/**
 * Holds the account until the transaction ends: its profiles are added, changed and deleted by one at a time, and nobody opens a
 * session or goes on as another of them meanwhile (holdAccount). False where there is none.
 */
export async function lockProfiles(tx: Tx, accountId: string): Promise<boolean> {
	return (await tx.query("select 1 from accounts where id = $1 for no key update", [accountId], "profiles-lock")).length > 0;
}

/** What may change of a profile. */
export async function updateProfile(tx: Tx, profile: StoredProfile, now: Date): Promise<void> {
	const folded = foldName(profile.displayName);
	await tx.query("update profiles set display_name = $2, bio = $3, avatar = $4, folded = $5, pieces = $6, updated_at = $7 where id = $1", [
		profile.id,
		profile.displayName,
		profile.bio ?? null,
		profile.avatar?.id ?? null,
		folded,
		piecesOf(folded),
		now,
	]);
}

/** Deletes the profile; that it was there is remembered for as long as a token may speak for it. */
export async function deleteProfile(tx: Tx, profileId: string, now: Date): Promise<void> {
	await tx.query("delete from profiles where id = $1", [profileId]);
	await tx.query("insert into deleted_profiles (id, deleted_at) values ($1, $2) on conflict (id) do nothing", [profileId, now]);
}

/** Profiles that were deleted after `since`. */
export function deletedSince(db: Queryable, since: Date): Promise<{ profileId: string; deletedAt: string }[]> {
	return db.query(
		`select id as "profileId", deleted_at as "deletedAt" from deleted_profiles where deleted_at >= $1 order by deleted_at`,
		[since],
		"profiles-deleted",
	);
}
