// A platform in which much was said: 200 groups of one reader, a million messages in them by others. Filled by SQL (over the wire it would
// take an hour) as posting and following the log write it; then the platform starts on it and is asked over HTTP.
import { Agent, get } from "node:http";
import pg from "pg";
import { startEmbedded } from "../../config/embedded-postgres.ts";
import { startPlatform, withDirectory } from "../support/children.ts";
import type { BenchPerson } from "../support/people.ts";
import { eachOf, makeGroup, register } from "../support/people.ts";

const GROUPS = 200;
/** One talks much, the others share the rest. */
const LARGEST = 400_000;
const EACH = 3_016;
/** Different words, of which the n-th is as frequent as 1/n. */
export const WORDS = 20_000;
const WORDS_A_MESSAGE = 10;
/** Of how many messages one is the reader's own, and one is deleted. */
const OWN = 20;
const DELETED = 50;

export interface Filled {
	url: string;
	reader: BenchPerson;
	groupIds: string[];
	/** The one that talks much. */
	largest: string;
	/** How many milliseconds a GET took; throws where `holds` says that the answer is not right. */
	ask<T>(path: string, holds: (body: T) => boolean): Promise<number>;
	database: pg.Client;
}

async function fill(database: pg.Client, reader: BenchPerson, groupId: string, messages: number): Promise<void> {
	await database.query(
		`insert into groups.room_events (room, seq, id, type, at, sender, sender_name, client_id, body)
		select $1::uuid, 1 + n, gen_random_uuid(), 'message', now() - make_interval(secs => $3::int - n),
			case when n % ${OWN} = 0 then $2::uuid else '00000000-0000-7000-8000-000000000001' end, 'Member', 'filled-' || n,
			json_build_object('messages', n, 'message', json_build_object('id', gen_random_uuid(), 'clientId', 'filled-' || n, 'kind', 'text', 'content',
				(select string_agg(left(md5(floor(exp(random() * ln(${WORDS})))::int::text), 8), ' ') from generate_series(1, ${WORDS_A_MESSAGE} + n * 0))))
		from generate_series(1, $3::int) as n`,
		[groupId, reader.profileId, messages],
	);
	await database.query(
		`insert into groups.message_states (group_id, seq, deleted_at, sender)
		select room, seq, now(), sender from groups.room_events where room = $1 and seq > 1 and (seq - 1) % ${DELETED} = 0`,
		[groupId],
	);
	await database.query(
		"insert into groups.search_places (room, seq, at) values ($1, $2, now()) on conflict (room) do update set seq = $2, at = now()",
		[groupId, messages + 1],
	);
	await database.query(
		`insert into groups.message_words (room, seq, at, words)
		select room, e.seq, e.at, array_to_tsvector(array(select p.id || '.' || (e.seq >> 11) || '.' || word
			from unnest(string_to_array(body -> 'message' ->> 'content', ' ')) as word))
		from groups.room_events e join groups.search_places p using (room) where room = $1 and e.seq > 1 and (e.seq - 1) % ${DELETED} <> 0`,
		[groupId],
	);
	// The reader has read some of it.
	await database.query("update groups.members set read_seq = 1 + floor(random() * $2) where group_id = $1", [groupId, messages]);
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function ask<T>(url: string, token: string, holds: (body: T) => boolean): Promise<number> {
	const began = performance.now();
	return new Promise((resolve, reject) => {
		get(url, { agent, headers: { Authorization: `Bearer ${token}` } }, (response) => {
			let text = "";
			response.on("data", (chunk) => {
				text += chunk;
			});
			response.on("end", () => {
				const waited = performance.now() - began;
				if (response.statusCode === 200 && holds(JSON.parse(text))) resolve(waited);
				else reject(new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 300)}`));
			});
		}).on("error", reject);
	});
}

/** Fills a platform, and measures on it. */
export async function filled(measure: (filled: Filled) => Promise<void>): Promise<void> {
	await withDirectory(async (directory) => {
		const server = await startEmbedded(directory);
		const env = { DATABASE_URL: server.ownerUrl };
		const database = new pg.Client({ connectionString: server.ownerUrl });
		await database.connect();
		try {
			const first = await startPlatform(directory, env);
			const [reader] = (await register(first.url, 1)) as [BenchPerson];
			const numbers = Array.from({ length: GROUPS }, (_, index) => index);
			const groupIds = await eachOf(numbers, 4, () => makeGroup(first.url, [reader]));
			await first.stop();
			const began = performance.now();
			for (const [index, groupId] of groupIds.entries()) await fill(database, reader, groupId, index === 0 ? LARGEST : EACH);
			await database.query("vacuum analyze groups.room_events, groups.message_words, groups.message_states, groups.members");
			const { rows } = await database.query<{ count: string }>("select count(*) from groups.room_events where type = 'message'");
			console.log(`  ${rows[0]?.count} messages in ${GROUPS} groups, filled in ${Math.round((performance.now() - began) / 1000)} s`);
			const platform = await startPlatform(directory, { ...env, PORT: new URL(first.url).port });
			try {
				await measure({
					...{ url: platform.url, reader, groupIds, largest: groupIds[0] ?? "", database },
					ask: (path, holds) => ask(platform.url + path, reader.token, holds),
				});
			} finally {
				agent.destroy();
				await platform.stop();
			}
		} finally {
			await database.end();
			await server.stop();
		}
	});
}
