// To join a group of 100,000 members, against one of 10: while the group is in memory, and as the first thing after a start. The
// members are written by SQL, then people join and leave over HTTP, one after another.
import pg from "pg";
import { startEmbedded } from "../../config/embedded-postgres.ts";
import { startPlatform, withDirectory } from "../support/children.ts";
import { alternate, median, ms, percentile, ratioLine } from "../support/figures.ts";
import type { BenchPerson } from "../support/people.ts";
import { makeGroup, register, request } from "../support/people.ts";

const SIZES = { small: 10, large: 100_000 };
type Size = keyof typeof SIZES;
const JOINERS = 10;
/** Joins of one round. */
const JOINS = 100;
const WARM_UP = 50;

/** Members as joining writes them; what would be told of them is not told. */
async function fill(client: pg.Client, groupId: string, members: number): Promise<void> {
	await client.query(
		`with made as (
			insert into groups.members (group_id, profile_id, display_name, role, joined_at, joined_seq, read_seq)
			select $1::uuid, gen_random_uuid(), 'Member ' || n, case when n <= 20 then 'moderator' else 'member' end, now(), 1, 1
			from generate_series(1, $2::int) as n returning profile_id
		), known as (insert into groups.group_people (profile_id, group_id) select profile_id, $1::uuid from made)
		update groups.groups set member_count = member_count + $2::int where id = $1::uuid`,
		[groupId, members],
	);
}

export async function join(rounds: number): Promise<void> {
	await withDirectory(async (directory) => {
		const database = await startEmbedded(directory);
		const env = { DATABASE_URL: database.ownerUrl };
		const client = new pg.Client({ connectionString: database.ownerUrl });
		await client.connect();
		try {
			const first = await startPlatform(directory, env);
			const [host, ...joiners] = (await register(first.url, JOINERS + 1)) as [BenchPerson, ...BenchPerson[]];
			const groups = {} as Record<Size, string>;
			for (const [size, members] of Object.entries(SIZES) as [Size, number][]) {
				groups[size] = await makeGroup(first.url, [host]);
				await fill(client, groups[size], members);
			}
			await client.query("vacuum analyze groups.members");
			await first.stop();
			const port = new URL(first.url).port;

			/** How long each join took, in ms. */
			const joins = async (url: string, size: Size, count: number): Promise<number[]> => {
				const waits: number[] = [];
				for (let at = 0; at < count; at++) {
					const { token } = joiners[at % joiners.length] as BenchPerson;
					const began = performance.now();
					await request(url, "POST", `/api/groups/${groups[size]}/join`, token);
					waits.push(performance.now() - began);
					await request(url, "POST", `/api/groups/${groups[size]}/leave`, token);
				}
				return waits;
			};

			const cold: Record<Size, number[]> = { small: [], large: [] };
			for (let round = 0; round < rounds; round++) {
				const platform = await startPlatform(directory, { ...env, PORT: port });
				// A join elsewhere first, so that connections and statements are there; and each of them comes first in turn.
				const warm = await makeGroup(platform.url, [host]);
				for (const { token } of joiners) await request(platform.url, "POST", `/api/groups/${warm}/join`, token);
				for (const size of (round % 2 ? ["large", "small"] : ["small", "large"]) as Size[])
					cold[size].push((await joins(platform.url, size, 1))[0] as number);
				await platform.stop();
			}

			const platform = await startPlatform(directory, { ...env, PORT: port });
			try {
				for (const size of ["small", "large"] as const) await joins(platform.url, size, WARM_UP);
				const round = async (size: Size) => {
					const waits = await joins(platform.url, size, JOINS);
					return { p50: percentile(waits, 0.5), p99: percentile(waits, 0.99) };
				};
				const results = await alternate(rounds, { small: () => round("small"), large: () => round("large") }, (name, { p50, p99 }) =>
					console.log(`  join, ${name}: p50 ${ms(p50)}, p99 ${ms(p99)}`),
				);
				const of = (size: Size, figure: "p50" | "p99") => median((results[size] ?? []).map((result) => result[figure]));
				for (const size of ["small", "large"] as const)
					console.log(
						`  median join, a group of ${SIZES[size]}: p50 ${ms(of(size, "p50"))}, p99 ${ms(of(size, "p99"))}; the first after a start ${ms(median(cold[size]))}`,
					);
				console.log(ratioLine("join", 1000 / of("large", "p50"), 1000 / of("small", "p50"), ["a group of 100000", "a group of 10"]));
				console.log(ratioLine("join-cold", 1000 / median(cold.large), 1000 / median(cold.small), ["a group of 100000", "a group of 10"]));
			} finally {
				await platform.stop();
			}
		} finally {
			await client.end();
			await database.stop();
		}
	});
}
