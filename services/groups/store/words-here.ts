// The index of words in this node's own database. A word is kept with the number of its room and of the part of the log that it was said in, so
// that one GIN index is as good as one for each part: a question reads what fits of its own rooms, and of a large room the newest parts first.
import type { Db } from "../../../mixins/postgres.ts";
import type { Term } from "../domain/words.ts";
import type { Place, Search, WordIndex } from "./words.ts";
import { beginSearchPlace } from "./words.ts";

/** So many events of a log are a part of it, as a power of two. */
const PART = 11;
/** How many parts of one room are looked through at once: what is said often is in the newest. Then all the others. */
const PARTS_AT_ONCE = [2, 8, 64];

/** What the words of a part begin with; no word has a dot. `p` is the place of the room. */
const prefixOf = (part: string) => `p.id || '.' || (${part}) || '.'`;
const PREFIX = "~";
const quoted = (word: string) => `'${PREFIX}${word.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
/** What is asked of a part, once the prefix is put in. */
const asked = (terms: readonly Term[]) => terms.map(({ word, begins }) => quoted(word) + (begins ? ":*" : "")).join(" & ");
const questionOf = (part: string, terms: string) => `replace(${terms}, '${PREFIX}', ${prefixOf(part)})::tsquery`;

// Every statement that finds: $1 to $3 after which place, $4 what is asked, $5 how many, $6 the rooms.
const isAfter = "($1::timestamptz is null or (w.at, w.room, w.seq) < ($1, $2::uuid, $3::bigint))";
const newestFirst = "order by w.at desc, w.room desc, w.seq desc";
const given = ({ terms, after, limit }: Search) => [after?.at ?? null, after?.room ?? null, after?.seq ?? null, asked(terms), limit];

/** Parts of a room's log, both included. */
interface Parts {
	room: string;
	from: number;
	to: number;
}

/** What fits in these parts. Planned each time: one word is in every message, another in two. */
const inParts = (db: Db, search: Search, parts: readonly Parts[]): Promise<Place[]> =>
	db.query<Place>(
		`select w.room, w.seq, w.at from (
			select ${questionOf("part", "$4::text")} as question from unnest($6::uuid[], $7::bigint[], $8::bigint[]) as r (room, first, last)
			join search_places p on p.room = r.room cross join lateral generate_series(r.first, r.last) as part
		) k cross join lateral (select w.room, w.seq, w.at from message_words w where w.words @@ k.question offset 0) w
		where ${isAfter} ${newestFirst} limit $5`,
		[...given(search), parts.map(({ room }) => room), parts.map(({ from }) => from), parts.map(({ to }) => to)],
	);

/** Of one room, part by part from the newest on. */
async function inRoom(db: Db, search: Search, room: string): Promise<Place[]> {
	const [last] = await db.query<{ part: number }>(
		`select seq >> ${PART} as part from message_words where room = $1 and ($2::timestamptz is null or at <= $2) order by at desc, seq desc limit 1`,
		[room, search.after?.at ?? null],
		"words-last",
	);
	const found: Place[] = [];
	let to = last?.part ?? -1;
	for (const many of [...PARTS_AT_ONCE, to + 1]) {
		if (to < 0 || found.length >= search.limit) break;
		const from = Math.max(0, to - many + 1);
		found.push(...(await inParts(db, { ...search, limit: search.limit - found.length }, [{ room, from, to }])));
		to = from - 1;
	}
	return found;
}

/** Of many rooms the newest so many messages are looked at first. */
const LOOKED_AT = 2_000;
/** More than so many are not looked at: the index is asked. */
const MOST_LOOKED_AT = 30_000;
/** By so many of its newest messages it is told how much is said in a room. */
const SAMPLE = 32;

/** How a room goes, up to where it is asked. */
export interface Pace {
	room: string;
	/** The part that the newest message is in, and when that was said. */
	part: number;
	newest: string;
	/** When the SAMPLE-th of the newest was said; null where there are fewer. */
	earlier: string | null;
}

const pacesOf = (db: Db, { rooms, after }: Search): Promise<Pace[]> => {
	const upTo = "w.room = r.room and ($2::timestamptz is null or w.at <= $2) order by w.at desc, w.seq desc";
	return db.query<Pace>(
		`select r.room, n.seq >> ${PART} as part, n.at as newest,
			(select w.at from message_words w where ${upTo} offset ${SAMPLE - 1} limit 1) as earlier
		from unnest($1::uuid[]) as r (room) cross join lateral (select w.seq, w.at from message_words w where ${upTo} limit 1) n`,
		[rooms, after?.at ?? null],
	);
};

/** Since when about so many messages were said; null: there are not more in all. */
export function sinceWhen(paces: readonly Pace[], many: number): string | null {
	const rooms = paces.map(({ newest, earlier }) => ({
		newest: Date.parse(newest),
		earlier: earlier === null ? null : Date.parse(earlier),
	}));
	const saidSince = (time: number) =>
		rooms.reduce((sum, { newest, earlier }) => {
			if (time >= newest) return sum;
			return sum + SAMPLE * (earlier === null ? 1 : (newest - time) / Math.max(1, newest - earlier));
		}, 0);
	if (rooms.every(({ earlier }) => earlier === null) && rooms.length * SAMPLE <= many) return null;
	let early = 0;
	let late = Math.max(...rooms.map(({ newest }) => newest));
	while (late - early > 1) {
		const middle = Math.floor((early + late) / 2);
		if (saidSince(middle) > many) early = middle;
		else late = middle;
	}
	return new Date(late).toISOString();
}

/** What fits among what was said after a time, up to another one, and how much that was; undefined where it is too much to look at. */
async function among(
	db: Db,
	search: Search,
	paces: readonly Pace[],
	since: string | null,
	upTo: string | null,
): Promise<{ found: Place[]; looked: number } | undefined> {
	const rooms = paces.filter(({ newest }) => since === null || newest > since);
	const [row] = await db.query<{ found: Place[] | null; looked: number }>(
		`with rooms as materialized (
			select r.*, ${questionOf("r.part", "$4::text")} as newest, ${questionOf("r.part - 1", "$4::text")} as before
			from unnest($6::uuid[], $7::bigint[]) as r (room, part) join search_places p on p.room = r.room
		), recent as materialized (
			select w.room, w.seq, w.at, w.words @@ case w.seq >> ${PART} when r.part then r.newest when r.part - 1 then r.before
				else (select ${questionOf(`w.seq >> ${PART}`, "$4::text")} from search_places p where p.room = w.room) end as fits
			from rooms r join message_words w on w.room = r.room
			where ($1::timestamptz is null or w.at <= $1) and w.at > coalesce($8::timestamptz, '-infinity') and w.at <= coalesce($9::timestamptz, 'infinity')
			limit $10
		), found as (select w.room, w.seq, w.at from recent w where fits and ${isAfter} ${newestFirst} limit $5)
		select (select json_agg(f) from found f) as found, (select count(*)::int from recent) as looked`,
		[...given(search), rooms.map(({ room }) => room), rooms.map(({ part }) => part), since, upTo, 2 * MOST_LOOKED_AT],
	);
	const { found = null, looked = 0 } = row ?? {};
	if (looked >= 2 * MOST_LOOKED_AT) return undefined;
	return { looked, found: (found ?? []).map(({ room, seq, at }) => ({ room, seq, at: new Date(at).toISOString() })) };
}

/** Of many rooms: what is said often is among the newest; of what is seldom there is little in the index. */
async function inRooms(db: Db, search: Search): Promise<Place[]> {
	const paces = await pacesOf(db, search);
	if (paces.length === 0) return [];
	const found: Place[] = [];
	let looked = 0;
	let upTo: string | null = null;
	for (let many = LOOKED_AT; many <= MOST_LOOKED_AT; ) {
		const since = sinceWhen(paces, many);
		const more = await among(db, { ...search, limit: search.limit - found.length }, paces, since, upTo);
		if (!more) break;
		found.push(...more.found);
		looked += more.looked;
		if (since === null || found.length >= search.limit) return found;
		upTo = since;
		// As many as it will take, if it goes on so; and some more.
		many = Math.max(2 * many, (1.3 * looked * search.limit) / found.length);
	}
	return inParts(
		db,
		search,
		paces.map(({ room, part }) => ({ room, from: 0, to: part })),
	);
}

export const wordsInPostgres = (db: Db): WordIndex => ({
	async write(tx, room, changes) {
		const gone = changes.flatMap(({ seq, words }) => (words ? [] : [seq]));
		const here = changes.flatMap(({ seq, at = null, words }) => (words ? [{ seq, at, words }] : []));
		if (gone.length > 0)
			await tx.query("delete from message_words where room = $1 and seq = any($2::bigint[])", [room, gone], "words-delete");
		if (here.length === 0) return;
		await beginSearchPlace(tx, room);
		await tx.query(
			`with given as materialized (
				select n.seq, n.at, array_to_tsvector(array(select ${prefixOf(`n.seq >> ${PART}`)} || word from unnest(n.words) as word)) as words
				from json_to_recordset($2::json) as n (seq bigint, at timestamptz, words text[]) join search_places p on p.room = $1
			), changed as (
				update message_words w set words = n.words from given n where w.room = $1 and w.seq = n.seq and n.at is null
			)
			insert into message_words (room, seq, at, words) select $1::uuid, n.seq, n.at, n.words from given n where n.at is not null
			on conflict (room, seq) do update set words = excluded.words`,
			[room, JSON.stringify(here)],
			"words-write",
		);
	},

	async find(search) {
		const [room, ...others] = search.rooms;
		if (room === undefined || search.terms.length === 0) return [];
		return others.length === 0 ? inRoom(db, search, room) : inRooms(db, search);
	},
});
