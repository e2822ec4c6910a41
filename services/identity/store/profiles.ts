// The profiles of accounts.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Profile } from "../../contracts/identity.ts";

const profileColumns = `id, display_name as "displayName", kind`;

export async function insertProfile(tx: Tx, accountId: string, profile: Profile, now: Date): Promise<void> {
	await tx.query("insert into profiles (id, account_id, display_name, kind, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)", [
		profile.id,
		accountId,
		profile.displayName,
		profile.kind,
		now,
	]);
}

export function profilesOf(db: Queryable, accountId: string, after: string | null = null, limit = 1000): Promise<Profile[]> {
	return db.query<Profile>(
		`select ${profileColumns} from profiles where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
		[accountId, after, limit],
		"profiles-of",
	);
}

export async function findProfile(db: Queryable, profileId: string): Promise<Profile | undefined> {
	const [row] = await db.query<Profile>(`select ${profileColumns} from profiles where id = $1`, [profileId], "profile");
	return row;
}
