// `npm run bench -- community`: unread counts of 200 groups, and search in a million messages.
import { createHash } from "node:crypto";
import { median, ms, percentile } from "../support/figures.ts";
import type { Filled } from "./filled.ts";
import { filled, WORDS } from "./filled.ts";

const REQUESTS = 300;
const PAGE = 100;

interface Listed {
	data: { id: string; unread: number }[];
	nextCursor: string | null;
}
interface FoundPage {
	data: { content: string }[];
}

/** What the unread counts should be, counted one by one. */
async function counted({ database, reader }: Filled): Promise<Map<string, number>> {
	const { rows } = await database.query<{ id: string; unread: string }>(
		`select m.group_id as id, (select count(*) from groups.room_events e where e.room = m.group_id and e.seq > m.read_seq and e.type = 'message'
			and e.sender <> m.profile_id and not exists (
				select 1 from groups.message_states s where s.group_id = e.room and s.seq = e.seq and s.deleted_at is not null)) as unread
		from groups.members m where m.profile_id = $1`,
		[reader.profileId],
	);
	return new Map(rows.map(({ id, unread }) => [id, Number(unread)]));
}

/** All 200 groups: two pages, as a client gets them. */
async function listAll({ ask }: Filled, expected: ReadonlyMap<string, number>): Promise<number> {
	let cursor: string | null = "";
	let waited = 0;
	let seen = 0;
	while (cursor !== null) {
		waited += await ask<Listed>(`/api/groups?limit=${PAGE}${cursor && `&cursor=${cursor}`}`, ({ data, nextCursor }) => {
			cursor = nextCursor;
			seen += data.length;
			return data.every(({ id, unread }) => unread === expected.get(id));
		});
	}
	if (seen !== expected.size) throw new Error(`${seen} of ${expected.size} groups were listed.`);
	return waited;
}

/** Every mark is as far from the log's end as it was from its beginning; again, and they are where they were. So no count is known from before. */
const turnMarks = ({ database, reader }: Filled) =>
	database.query(
		`update groups.members m set read_seq = 1 + (select max(seq) from groups.room_events e where e.room = m.group_id) - read_seq
		where m.profile_id = $1`,
		[reader.profileId],
	);

/** A word as often as it is said: the first is in every other message, the last in one of twenty thousand. */
const word = () =>
	createHash("md5")
		.update(String(Math.floor(Math.exp(Math.random() * Math.log(WORDS)))))
		.digest("hex")
		.slice(0, 8);
const questions: Record<string, () => string> = {
	"one word": word,
	"two words": () => `${word()} ${word()}`,
	"three words": () => `${word()} ${word()} ${word()}`,
};

async function search(filled: Filled, where: string): Promise<number[]> {
	const waits: number[] = [];
	const kinds = Object.values(questions);
	for (let request = 0; request < REQUESTS; request++) {
		const q = (kinds[request % kinds.length] ?? word)();
		const fits = ({ data }: FoundPage) =>
			data.every(({ content }) => q.split(" ").every((one) => content.split(" ").some((said) => said.startsWith(one))));
		waits.push(await filled.ask<FoundPage>(`/api/${where}search?q=${encodeURIComponent(q)}`, fits));
	}
	return waits;
}

/** What waits are, over all rounds. */
const show = (name: string, aim: string, rounds: number[][]) => {
	const of = (share: number) => median(rounds.map((waits) => percentile(waits, share)));
	console.log(`  median ${name}: p50 ${ms(of(0.5))}, p99 ${ms(of(0.99))} (aim: ${aim})`);
};

const UNREAD = "unread counts of 200 groups, two pages";
const UNREAD_ANEW = "the same after every mark has moved";
const IN_LARGEST = "search in the largest group";
const EVERYWHERE = "search everywhere";
const AIMS: Record<string, string> = {
	[UNREAD]: "p99 ≤ 15 ms",
	[UNREAD_ANEW]: "p99 ≤ 15 ms",
	[IN_LARGEST]: "p99 ≤ 50 ms",
	[EVERYWHERE]: "p99 ≤ 50 ms",
};

export async function read(rounds: number): Promise<void> {
	await filled(async (filled) => {
		const expected = await counted(filled);
		await turnMarks(filled);
		const turned = await counted(filled);
		await turnMarks(filled);
		const total = [...expected.values()].reduce((sum, unread) => sum + unread, 0);
		console.log(`  ${total} unread in ${expected.size} groups`);
		const measured: Record<string, number[][]> = {};
		for (let round = 0; round <= rounds; round++) {
			const waits: Record<string, number[]> = {
				[UNREAD]: [],
				[UNREAD_ANEW]: [],
				[IN_LARGEST]: await search(filled, `groups/${filled.largest}/`),
				[EVERYWHERE]: await search(filled, "messages/"),
			};
			for (let request = 0; request < REQUESTS; request++) {
				waits[UNREAD]?.push(await listAll(filled, expected));
			}
			for (let request = 0; request < REQUESTS; request++) {
				await turnMarks(filled);
				waits[UNREAD_ANEW]?.push(await listAll(filled, request % 2 === 0 ? turned : expected));
			}
			// The first warms up.
			if (round === 0) continue;
			for (const [name, each] of Object.entries(waits)) {
				measured[name] ??= [];
				measured[name].push(each);
				console.log(`  round ${round} ${name}: p50 ${ms(percentile(each, 0.5))}, p99 ${ms(percentile(each, 0.99))}`);
			}
		}
		for (const [name, waits] of Object.entries(measured)) show(name, AIMS[name] ?? "none", waits);
	});
}
