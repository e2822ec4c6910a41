// The catalog node's way to its database: what shows which picture.
import type { Queryable, Tx } from "../../../mixins/node.ts";

/**
 * From now on a place shows these and no others; the same said twice changes nothing. The rows of the uploads are locked first:
 * another place may take up what this one lets go.
 */
export async function setUses(tx: Tx, kind: string, place: string, ids: readonly string[], now: Date): Promise<void> {
	await tx.query(
		`select from uploads where id = any($3::uuid[]) or id in (select upload_id from uses where kind = $1 and place = $2)
		order by id for update`,
		[kind, place, ids],
	);
	const dropped = await tx.query<{ id: string }>(
		"delete from uses where kind = $1 and place = $2 and upload_id <> all($3::uuid[]) returning upload_id as id",
		[kind, place, ids],
	);
	await tx.query(
		"insert into uses (kind, place, upload_id) select $1, $2, id from uploads where id = any($3::uuid[]) on conflict do nothing",
		[kind, place, ids],
	);
	await tx.query("update uploads set unused_since = null where id = any($1::uuid[])", [ids]);
	await letGo(
		tx,
		dropped.map(({ id }) => id),
		now,
	);
}

/** Whatever is in a group shows nothing any more. */
export async function dropUsesIn(tx: Tx, groupId: string, now: Date): Promise<void> {
	const within = "kind = 'message' and place >= $1 || ' ' and place < $1 || '!'";
	await tx.query(`select from uploads where id in (select upload_id from uses where ${within}) order by id for update`, [groupId]);
	const dropped = await tx.query<{ id: string }>(`delete from uses where ${within} returning upload_id as id`, [groupId]);
	await letGo(
		tx,
		dropped.map(({ id }) => id),
		now,
	);
}

const letGo = (tx: Queryable, ids: readonly string[], now: Date) =>
	tx.query("update uploads u set unused_since = $2 where id = any($1::uuid[]) and not exists (select from uses where upload_id = u.id)", [
		ids,
		now,
	]);
