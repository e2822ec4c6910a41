// `npm run bench -- storm`: a gateway is killed with thousands of sockets on it; all of them come to the other one, and each is
// told what it missed. How long that takes, and how often the database is read for it: by the room, not by the socket.
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { allBut, Cluster } from "../test/cluster/support/cluster.ts";
import type { StormAsk, StormResult } from "./load/storm.ts";
import type { Load } from "./support/children.ts";
import { startLoad } from "./support/children.ts";
import { ms } from "./support/figures.ts";
import type { BenchPerson } from "./support/people.ts";
import { eachOf, makeGroup, register, request } from "./support/people.ts";

const PEOPLE = 500;
const SIZES = [
	{ sockets: 2_500, rooms: 50 },
	{ sockets: 5_000, rooms: 50 },
	{ sockets: 5_000, rooms: 250 },
];
const MISSED = 5;
/** PostgreSQL tells its statistics when a connection has been idle for ten seconds. */
const STATISTICS_MS = 11_000;
const AIM_MS = 10_000;

/** How often the tables of groups were looked into so far. */
async function reads(client: pg.Client): Promise<number> {
	await pause(STATISTICS_MS);
	const { rows } = await client.query<{ reads: string }>(
		"select sum(coalesce(idx_scan, 0) + seq_scan) as reads from pg_stat_user_tables where schemaname = 'groups' and relname in ('room_events', 'groups', 'members')",
	);
	return Number(rows[0]?.reads);
}

async function once(
	cluster: Cluster,
	load: Load<StormAsk, StormResult>,
	people: BenchPerson[],
	{ sockets, rooms }: { sockets: number; rooms: number },
): Promise<void> {
	const api = cluster.doors("api")[0] as string;
	const size = PEOPLE / Math.min(rooms, PEOPLE / 2);
	const groups = await eachOf(
		Array.from({ length: rooms }, (_, room) => Array.from({ length: size }, (_, n) => people[(room * size + n) % PEOPLE] as BenchPerson)),
		2,
		async (members) => ({ id: await makeGroup(api, members), members }),
	);
	const [dying, living] = cluster.of("socket");
	if (!dying || !living) throw new Error("The storm needs two gateways.");
	await load.ask({
		kind: "open",
		url: dying.url,
		sockets: Array.from({ length: sockets }, (_, n) => {
			const { id, members } = groups[n % rooms] as (typeof groups)[number];
			return { token: (members[Math.floor(n / rooms) % members.length] as BenchPerson).token, groupId: id };
		}),
	});
	const client = new pg.Client({ connectionString: cluster.servers.postgres.url });
	await client.connect();
	await dying.end("SIGKILL");
	for (let n = 0; n < MISSED; n++)
		await eachOf(groups, 8, ({ id, members }) =>
			request(api, "POST", `/api/groups/${id}/messages`, members[0]?.token, {
				clientId: `missed-${n}`,
				kind: "text",
				content: "x".repeat(200),
			}),
		);
	const before = await reads(client);
	const result = await load.ask({ kind: "storm", url: living.url, missed: MISSED });
	const read = (await reads(client)) - before;
	await client.end();
	console.log(
		`  ${sockets} sockets in ${rooms} rooms: all back after ${ms(result.last)} (p50 ${ms(result.p50)}, p99 ${ms(result.p99)}; aim ≤ ${AIM_MS / 1_000} s), ${result.again} came twice; ${read} reads of the tables of groups`,
	);
	if (result.faults.length > 0) throw new Error(`The round does not count: ${result.faults.slice(0, 5).join("; ")}`);
	await load.ask({ kind: "close" });
	await dying.start();
}

export async function storm(): Promise<void> {
	const cluster = await Cluster.start({ shape: { [allBut("socket")]: 1, socket: 2 } });
	const load = startLoad<StormAsk, StormResult>("storm.ts");
	try {
		const people = await register(cluster.doors("api")[0] as string, PEOPLE);
		for (const size of SIZES) await once(cluster, load, people, size);
	} finally {
		await load.stop();
		await cluster.stop();
	}
}
