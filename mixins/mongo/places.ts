// How far the log of each room is applied to PostgreSQL: one row for a room, locked while anybody applies.
import type { Db, Tx } from "../postgres.ts";

/** The seq up to which a room is applied. */
export async function placeOf(db: Db, room: string): Promise<number> {
	const [place] = await db.query<{ seq: number }>("select seq from log_applied where room = $1", [room], "log-applied");
	return place?.seq ?? 0;
}

/** How far these rooms are applied. Nobody else applies anything of them before this transaction ends. */
export async function lockPlaces(tx: Tx, rooms: readonly string[]): Promise<Map<string, number>> {
	const lock = () =>
		tx.query<{ room: string; seq: number }>(
			"select room, seq from log_applied where room = any($1::uuid[]) order by room for update",
			[rooms],
			"log-lock",
		);
	let rows = await lock();
	if (rows.length < rooms.length) {
		await tx.query(
			"insert into log_applied (room, seq) select k, 0 from unnest($1::uuid[]) as k on conflict do nothing",
			[rooms],
			"log-place",
		);
		rows = await lock();
	}
	return new Map(rows.map(({ room, seq }) => [room, seq]));
}

export async function movePlaces(tx: Tx, places: ReadonlyMap<string, number>): Promise<void> {
	await tx.query(
		"update log_applied a set seq = n.seq from unnest($1::uuid[], $2::bigint[]) as n (room, seq) where a.room = n.room",
		[[...places.keys()], [...places.values()]],
		"log-applied-to",
	);
}
