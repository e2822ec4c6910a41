// By which words messages are found: how far each room is known, and the index of words that is in this node's own database.
import type { Db, Queryable, Tx } from "../../../mixins/postgres.ts";
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

/** How far a room is known. Nobody else goes on with it before this transaction ends. */
export async function lockSearchPlace(tx: Tx, room: string): Promise<{ seq: number; at: string }> {
	await tx.query(
		"insert into search_places (room, seq, at) values ($1, 0, to_timestamp(0)) on conflict do nothing",
		[room],
		"search-place",
	);
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

/** Marks the room among the words: no word begins so. */
const roomWord = (room: string) => `@${room}`;
const quoted = (word: string) => `'${word.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
const allOf = (terms: readonly Term[]) => terms.map(({ word, begins }) => quoted(word) + (begins ? ":*" : "")).join(" & ");

/**
 * So many of the newest messages are looked at before the index is asked, few first: of what is said often, the newest are among them, and
 * the index would give all there ever were.
 */
const LOOKED_AT = [500, 4_000];
const LEAST_OF_A_ROOM = 20;
const FEW_ROOMS = 10;

const isAfter = "($2::timestamptz is null or (at, room, seq) < ($2, $3::uuid, $4::bigint))";
const newestFirst = "order by at desc, room desc, seq desc";

/** What is found among so many of the newest messages of each room; undefined where that may not be all that was asked for. */
async function lookAt(db: Db, { rooms, terms, after, limit }: Search, each: number): Promise<Place[] | undefined> {
	// Planned for what is asked each time: one word is in every message, another in two.
	const [newest] = await db.query<{ found: Place[] | null; all: boolean }>(
		`with recent as materialized (
			select w.* from unnest($1::uuid[]) as r (id) cross join lateral (
				select w.room, w.seq, w.at, w.words, row_number() over (order by w.at desc, w.seq desc) as n from message_words w
				where w.room = r.id and ($2::timestamptz is null or w.at <= $2) order by w.at desc, w.seq desc limit $6
			) w
		), edge as (select max(at) as at from recent where n = $6),
		found as (
			select room, seq, at from recent where words @@ $5::tsquery and ${isAfter}
				and ((select at from edge) is null or at > (select at from edge)) ${newestFirst} limit $7
		)
		select (select json_agg(f) from found f) as found, (select at from edge) is null as all`,
		[rooms, after?.at ?? null, after?.room ?? null, after?.seq ?? null, allOf(terms), each, limit],
	);
	const found = newest?.found ?? [];
	if (found.length < limit && !newest?.all) return undefined;
	return found.map(({ room, seq, at }) => ({ room, seq, at: new Date(at).toISOString() }));
}

export const wordsInPostgres = (db: Db): WordIndex => ({
	async write(tx, room, changes) {
		const gone = changes.flatMap(({ seq, words }) => (words ? [] : [seq]));
		const here = changes.flatMap(({ seq, at = null, words }) => (words ? [{ seq, at, words: [roomWord(room), ...words] }] : []));
		if (gone.length > 0)
			await tx.query("delete from message_words where room = $1 and seq = any($2::bigint[])", [room, gone], "words-delete");
		if (here.length === 0) return;
		const given = "json_to_recordset($2::json) as n (seq bigint, at timestamptz, words text[])";
		await tx.query(
			`with changed as (
				update message_words w set words = array_to_tsvector(n.words) from ${given} where w.room = $1 and w.seq = n.seq and n.at is null
			)
			insert into message_words (room, seq, at, words) select $1::uuid, n.seq, n.at, array_to_tsvector(n.words) from ${given} where n.at is not null
			on conflict (room, seq) do update set words = excluded.words`,
			[room, JSON.stringify(here)],
			"words-write",
		);
	},

	async find({ rooms, terms, after, limit }) {
		if (rooms.length === 0 || terms.length === 0) return [];
		let looked = 0;
		for (const many of LOOKED_AT) {
			const each = Math.max(LEAST_OF_A_ROOM, Math.floor(many / rooms.length));
			// Of many rooms it is the same twice.
			if (each === looked) continue;
			looked = each;
			const newest = await lookAt(db, { rooms, terms, after, limit }, each);
			if (newest) return newest;
		}
		const from = [after?.at ?? null, after?.room ?? null, after?.seq ?? null];
		// Of few rooms their words are looked up too; of many it costs less to leave out what is not theirs.
		const few = rooms.length <= FEW_ROOMS;
		const inRooms = few ? `(${rooms.map((room) => quoted(roomWord(room))).join(" | ")}) & ` : "";
		return db.query<Place>(
			`with found as materialized (
				select room, seq, at from message_words where words @@ $1::tsquery ${few ? "and $6::uuid[] is not null" : "and room = any($6::uuid[])"}
			)
			select room, seq, at from found where ${isAfter} ${newestFirst} limit $5`,
			[inRooms + allOf(terms), ...from, limit, rooms],
		);
	},
});
