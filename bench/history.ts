// `npm run bench -- history`: a page of 50 messages, 100 and 1,000,000 messages back in one log. The log is filled by SQL
// (a million messages over the wire would take an hour), then the platform starts on it and is asked over HTTP.
import { Agent, get } from "node:http";
import pg from "pg";
import { startEmbedded } from "../config/embedded-postgres.ts";
import { startPlatform, withDirectory } from "./support/children.ts";
import { alternate, median, ms, percentile, ratioLine } from "./support/figures.ts";
import type { BenchPerson } from "./support/people.ts";
import { makeGroup, register } from "./support/people.ts";

const MESSAGES = 1_000_500;
const PAGE = 50;
const DEPTHS = { "depth-100": 100, "depth-1000000": 1_000_000 };
const REQUESTS = 300;
const WARM_UP = 200;

interface Round {
	/** Waits for one page, in ms. */
	p50: number;
	p99: number;
}

/** Rows as `messages.post` writes them. Only the events: no facts are told, so nobody earns XP for them. */
async function fill(ownerUrl: string, groupId: string, sender: BenchPerson): Promise<number> {
	const client = new pg.Client({ connectionString: ownerUrl });
	await client.connect();
	try {
		await client.query(
			`insert into groups.room_events (room, seq, id, type, at, sender, sender_name, client_id, body)
			select $1::uuid, head + n, gen_random_uuid(), 'message', now(), $2::uuid, 'Member 0', 'filled-' || n,
				json_build_object('message', json_build_object('id', gen_random_uuid(), 'clientId', 'filled-' || n, 'kind', 'text', 'content', repeat('x', 200)))
			from generate_series(1, $3::int) as n, (select coalesce(max(seq), 0) as head from groups.room_events where room = $1::uuid) h`,
			[groupId, sender.profileId, MESSAGES],
		);
		await client.query("vacuum analyze groups.room_events");
		const { rows } = await client.query<{ head: string }>("select max(seq) as head from groups.room_events where room = $1", [groupId]);
		return Number(rows[0]?.head);
	} finally {
		await client.end();
	}
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function page(url: string, token: string): Promise<number> {
	const began = performance.now();
	return new Promise((resolve, reject) => {
		get(url, { agent, headers: { Authorization: `Bearer ${token}` } }, (response) => {
			let text = "";
			response.on("data", (chunk) => {
				text += chunk;
			});
			response.on("end", () => {
				const waited = performance.now() - began;
				if (response.statusCode === 200 && JSON.parse(text).data.length === PAGE) resolve(waited);
				else reject(new Error(`A page answered ${response.statusCode}: ${text.slice(0, 300)}`));
			});
		}).on("error", reject);
	});
}

export async function history(rounds: number): Promise<void> {
	await withDirectory(async (directory) => {
		const database = await startEmbedded(directory);
		const env = { DATABASE_URL: database.ownerUrl };
		try {
			const first = await startPlatform(directory, env);
			const people = await register(first.url, 1);
			const [reader] = people as [BenchPerson];
			const groupId = await makeGroup(first.url, people);
			await first.stop();
			const began = performance.now();
			const head = await fill(database.ownerUrl, groupId, reader);
			console.log(`  a log of ${head} events, filled in ${Math.round((performance.now() - began) / 1000)} s`);

			const platform = await startPlatform(directory, { ...env, PORT: new URL(first.url).port });
			try {
				const round = async (depth: number, requests: number): Promise<Round> => {
					const waits: number[] = [];
					for (let request = 0; request < requests; request++) {
						// Not the same page each time, and not far from it either.
						const before = head - depth + 1 + (request % 40);
						waits.push(await page(`${platform.url}/api/groups/${groupId}/messages?before=${before}&limit=${PAGE}`, reader.token));
					}
					return { p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) };
				};
				for (const depth of Object.values(DEPTHS)) await round(depth, WARM_UP);
				const contenders = Object.fromEntries(Object.entries(DEPTHS).map(([name, depth]) => [name, () => round(depth, REQUESTS)]));
				const results = await alternate(rounds, contenders, (name, { p50, p99 }) =>
					console.log(`  ${name}: a page of ${PAGE} in p50 ${ms(p50)}, p99 ${ms(p99)}`),
				);
				const of = (name: keyof typeof DEPTHS, figure: keyof Round) => median((results[name] ?? []).map((result) => result[figure]));
				for (const name of Object.keys(DEPTHS) as (keyof typeof DEPTHS)[])
					console.log(`  median ${name}: p50 ${ms(of(name, "p50"))}, p99 ${ms(of(name, "p99"))}`);
				console.log(ratioLine("history", 1000 / of("depth-1000000", "p50"), 1000 / of("depth-100", "p50"), ["depth 1000000", "depth 100"]));
			} finally {
				agent.destroy();
				await platform.stop();
			}
		} finally {
			await database.stop();
		}
	});
}
