// What other nodes ask about groups: who is what in which.
import type { MemberRole } from "../../contracts/groups.ts";
import type { Queryable } from "../../../mixins/postgres.ts";

/** The roles of a profile by group; groups it is no member of are left out. */
export async function rolesIn(db: Queryable, profileId: string, groupIds: readonly string[]): Promise<Map<string, MemberRole>> {
	const rows = await db.query<{ groupId: string; role: MemberRole }>(
		`select group_id as "groupId", role from members where profile_id = $1 and group_id = any($2::uuid[])`,
		[profileId, groupIds],
	);
	return new Map(rows.map(({ groupId, role }) => [groupId, role]));
}
