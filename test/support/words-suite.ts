// What an index of words promises, on whichever store: newest first, all of it, however far back, and nothing that is gone. And that the
// log is followed once, whoever follows.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { termsOf, wordsOf } from "../../services/groups/domain/words.ts";
import { SearchFollower } from "../../services/groups/search/follower.ts";
import type { Change, Place, WordIndex } from "../../services/groups/store/words.ts";
import { searchPlaces } from "../../services/groups/store/words.ts";
import type { LogHouse, LogProcess, Said } from "./log-house.ts";
import { append, event, events, plain, row } from "./log-house.ts";

const BEGINNING = Date.parse("2026-03-01T12:00:00.000Z");
const timeOf = (seq: number) => new Date(BEGINNING + seq * 1_000).toISOString();

export function wordsSuite(
	name: string,
	open: () => Promise<LogHouse>,
	indexOf: (process: LogProcess, house: LogHouse) => WordIndex,
): void {
	describe(`the index of words on ${name}`, () => {
		let house: LogHouse;
		let mine: LogProcess;
		let index: WordIndex;
		before(async () => {
			house = await open();
			mine = await house.process();
			index = indexOf(mine, house);
		});
		after(() => house.close());

		const write = (room: string, changes: readonly Change[]) => house.db.tx((tx) => index.write(tx, room, changes));
		const find = (rooms: readonly string[], q: string, limit: number, from: Place | null = null) =>
			index.find({ rooms, terms: termsOf(q), after: from, limit });
		/** Everything that is found, page by page. */
		const walk = async (rooms: readonly string[], q: string, limit: number): Promise<Place[]> => {
			const found: Place[] = [];
			for (let page = await find(rooms, q, limit); page.length > 0; page = await find(rooms, q, limit, page.at(-1) ?? null))
				found.push(...page);
			return found;
		};
		/** A room of so many messages, each with the word of its number and those that `more` says. */
		const fill = async (count: number, more: (seq: number) => string): Promise<string> => {
			const room = randomUUID();
			await append(mine.carrier, events(room, 1, count));
			const changes = Array.from({ length: count }, (_, i) => ({
				seq: i + 1,
				at: timeOf(i + 1),
				words: wordsOf(`number${i + 1} ${more(i + 1)}`),
			}));
			for (let from = 0; from < count; from += 2_000) await write(room, changes.slice(from, from + 2_000));
			return room;
		};
		const seqs = (places: readonly Place[]) => places.map(({ seq }) => seq);
		const down = (from: number, to: number, step = 1) =>
			Array.from({ length: Math.floor((from - to) / step) + 1 }, (_, i) => from - i * step);

		test("what is in every message, in few, and in one long ago are found newest first, each once", async () => {
			const room = await fill(6_000, (seq) => (seq % 1_000 === 7 ? "always seldom" : "always"));
			assert.deepEqual(seqs(await find([room], "always", 5)), down(6_000, 5_996));
			assert.deepEqual(seqs(await walk([room], "seldom", 2)), [5_007, 4_007, 3_007, 2_007, 1_007, 7]);
			assert.deepEqual(seqs(await walk([room], "seldom always", 20)), [5_007, 4_007, 3_007, 2_007, 1_007, 7]);
			assert.deepEqual(await find([room], "number3", 1), [{ room, seq: 3_999, at: timeOf(3_999) }]);
			assert.deepEqual(seqs(await find([room], "number1007", 10)), [1_007]);
			assert.deepEqual(seqs(await walk([room], "always", 997)), down(6_000, 1));
			assert.deepEqual(await find([room], "never", 10), []);
			assert.deepEqual(await find([room], "seldom never", 10), []);
		});

		test("several rooms are one list, by time; a room that is not asked for adds nothing", async () => {
			const rooms = await Promise.all(Array.from({ length: 30 }, (_, n) => fill(300, (seq) => (seq % 100 === n ? "shared" : "own"))));
			const stranger = await fill(300, () => "shared");
			const asked = rooms.slice(0, 25);
			const found = await walk(asked, "shared", 7);
			const expected = asked
				.flatMap((room, n) => [0, 100, 200, 300].map((from) => ({ room, seq: from + n, at: timeOf(from + n) })))
				.filter(({ seq }) => seq > 0 && seq <= 300)
				.sort((one, other) => (one.at === other.at ? (one.room < other.room ? 1 : -1) : one.at < other.at ? 1 : -1));
			assert.deepEqual(found, expected);
			assert.ok(!found.some(({ room }) => room === stranger));
			assert.deepEqual(seqs(await walk(rooms.slice(0, 3), "shared", 2)), [300, 202, 201, 200, 102, 101, 100, 2, 1]);
		});

		test("a message is found by its last words, and when it is gone by none", async () => {
			const room = await fill(3, () => "first");
			await write(room, [{ seq: 2, words: wordsOf("second") }]);
			assert.deepEqual([seqs(await find([room], "first", 10)), seqs(await find([room], "second", 10))], [[3, 1], [2]]);
			await write(room, [{ seq: 2, words: null }]);
			for (const again of [1, 2]) await write(room, [{ seq: 3, at: timeOf(3), words: wordsOf(`third ${again}`) }]);
			assert.deepEqual(
				[seqs(await find([room], "first", 10)), seqs(await find([room], "second", 10)), seqs(await find([room], "third", 10))],
				[[1], [], [3]],
			);
		});

		test("the log is followed by many at once as by one, and what is deleted before it is followed is never found", async () => {
			const room = randomUUID();
			const follower = () => new SearchFollower({ db: house.db, carrier: mine.carrier, index, report: () => {} });
			const said = (seq: number, what: Said) => mine.carrier.append([plain(row(room, seq, what))]);
			await said(1, { type: "group", action: "created", group: { name: "Repair", description: "", isPublic: true } });
			await append(mine.carrier, events(room, 2, 1_300));
			await said(1_301, { type: "deleted", target: 3, deletedAt: timeOf(1) });
			await said(1_302, { type: "edited", target: 4, content: "mended", editedAt: timeOf(2) });
			await Promise.all(Array.from({ length: 4 }, () => follower().catchUp([room])));
			assert.equal((await searchPlaces(house.db, [room])).get(room), 1_302);
			assert.deepEqual(
				seqs(await walk([room], "message", 100)),
				down(1_300, 2).filter((seq) => seq !== 3 && seq !== 4),
			);
			assert.deepEqual(seqs(await find([room], "mended", 10)), [4]);
			await append(mine.carrier, [event(room, 1_303)]);
			await said(1_304, { type: "deleted", target: 4, deletedAt: timeOf(3) });
			await follower().catchUp([room, randomUUID()]);
			assert.deepEqual([seqs(await find([room], "mended", 10)), seqs(await find([room], "message", 1))], [[], [1_303]]);
		});
	});
}
