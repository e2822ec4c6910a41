// Finding profiles by their names: by an index over the pieces of folded names, and then letter by letter.
import type { Db, Queryable } from "../../../mixins/postgres.ts";
import type { Profile } from "../../contracts/identity.ts";
import type { StoredProfile } from "../domain/profile.ts";
import { foldName, piecesFor, piecesOf } from "../domain/names.ts";
import type { ProfileRow } from "./profiles.ts";
import { profileColumns, toProfile } from "./profiles.ts";

export interface Sought {
	q?: string | undefined;
	kind?: Profile["kind"] | undefined;
}

/** The question as SQL and its values: without a name, so that it is planned for what is sought. Undefined where nothing can match. */
export function searchOf({ q, kind }: Sought, before: string | null, limit: number): { sql: string; values: unknown[] } | undefined {
	const values: unknown[] = [limit];
	const value = (given: unknown) => `$${values.push(given)}`;
	// Who was thrown out for good is found by nobody.
	const where = ["exists (select 1 from accounts a where a.id = p.account_id and a.state not in ('trashed', 'purged'))"];
	if (q !== undefined) {
		const folded = foldName(q);
		if (folded === "") return undefined;
		where.push(`p.pieces @> ${value(piecesFor(folded))}::text[]`, `strpos(p.folded, ${value(folded)}) > 0`);
	}
	if (kind !== undefined) where.push(`p.kind = ${value(kind)}`);
	if (before !== null) where.push(`p.id < ${value(before)}`);
	return { sql: `select ${profileColumns} from profiles p where ${where.join(" and ")} order by p.id desc limit $1`, values };
}

/** A page of what matches, newest first. */
export async function searchProfiles(db: Queryable, sought: Sought, before: string | null, limit: number): Promise<StoredProfile[]> {
	const question = searchOf(sought, before, limit);
	if (!question) return [];
	return (await db.query<ProfileRow>(question.sql, question.values)).map(toProfile);
}

const PORTION = 500;

/** Folds the names that are not folded yet: those made before there was a search. Safe in several processes at once. */
export async function foldNames(db: Db): Promise<void> {
	for (;;) {
		const rows = await db.query<{ id: string; displayName: string }>(
			`select id, display_name as "displayName" from profiles where folded is null order by id limit $1`,
			[PORTION],
		);
		for (const { id, displayName } of rows) {
			const folded = foldName(displayName);
			await db.query("update profiles set folded = $3, pieces = $4 where id = $1 and display_name = $2", [
				id,
				displayName,
				folded,
				piecesOf(folded),
			]);
		}
		if (rows.length < PORTION) return;
	}
}
