// By which words messages are found: how far each room is known, and what an index of words is.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Term } from "../domain/words.ts";

/** Where a message is found. `at` never goes back within a room: the newest come first, in the order of their log. */
export interface Place {
	room: string;
	seq: number;
	/** ISO 8601. */
	at: string;
}

/** What a portion of a room's log does to what is found of it. */
export interface Change {
	seq: number;
	/** Left out where the message is known already. */
	at?: string;
	/** Null: it is not found any more. */
	words: string[] | null;
}

export interface Search {
	rooms: readonly string[];
	terms: readonly Term[];
	/** Goes on after this one. */
	after: Place | null;
	limit: number;
}

/** An index of words, wherever it is. */
export interface WordIndex {
	/** The same again does no harm. */
	write(tx: Tx, room: string, changes: readonly Change[]): Promise<void>;
	/** Newest first. */
	find(search: Search): Promise<Place[]>;
}

/** How far rooms are known; rooms of which nothing is known are left out. */
export async function searchPlaces(db: Queryable, rooms: readonly string[]): Promise<Map<string, number>> {
	const rows = await db.query<{ room: string; seq: number }>(
		"select room, seq from search_places where room = any($1::uuid[])",
		[rooms],
		"search-places",
	);
	return new Map(rows.map(({ room, seq }) => [room, seq]));
}

/** A room is one of which something will be known. (Asked first: an insert that meets a conflict uses up a number.) */
export async function beginSearchPlace(tx: Tx, room: string): Promise<void> {
	await tx.query(
		`insert into search_places (room, seq, at) select $1::uuid, 0, to_timestamp(0)
		where not exists (select 1 from search_places where room = $1::uuid) on conflict do nothing`,
		[room],
		"search-begin",
	);
}

/** How far a room is known. Nobody else goes on with it before this transaction ends. */
export async function lockSearchPlace(tx: Tx, room: string): Promise<{ seq: number; at: string }> {
	await beginSearchPlace(tx, room);
	const [place] = await tx.query<{ seq: number; at: string }>(
		"select seq, at from search_places where room = $1 for update",
		[room],
		"search-lock",
	);
	return place ?? { seq: 0, at: new Date(0).toISOString() };
}

export async function moveSearchPlace(tx: Tx, room: string, seq: number, at: string): Promise<void> {
	await tx.query("update search_places set seq = $2, at = $3 where room = $1", [room, seq, at], "search-move");
}

/** Groups in the order of their ids, from one on. */
export async function groupsAfter(db: Queryable, after: string | null, limit: number): Promise<string[]> {
	const rows = await db.query<{ id: string }>("select id from groups where $1::uuid is null or id > $1 order by id limit $2", [
		after,
		limit,
	]);
	return rows.map(({ id }) => id);
}

/** The groups that a profile is in. */
export async function roomsOf(db: Queryable, profileId: string): Promise<string[]> {
	const rows = await db.query<{ room: string }>("select group_id as room from members where profile_id = $1", [profileId], "search-rooms");
	return rows.map(({ room }) => room);
}

/** What groups are called. */
export async function groupNames(db: Queryable, groupIds: readonly string[]): Promise<Map<string, string>> {
	const rows = await db.query<{ id: string; name: string }>(
		"select id, name from groups where id = any($1::uuid[])",
		[groupIds],
		"group-names",
	);
	return new Map(rows.map(({ id, name }) => [id, name]));
}
