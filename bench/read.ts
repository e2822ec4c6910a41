// `npm run bench -- read`: one signed-in person reads a group over 50 connections. Ours is the whole chain of the HTTP door;
// the peer is Fastify with the same check of the same token and one select on the same PostgreSQL.
import { startEmbedded } from "../config/embedded-postgres.ts";
import type { ReadAsk, ReadRound } from "./load/read.ts";
import { processorTime, startLoad, startPeer, startPlatform, withDirectory } from "./support/children.ts";
import { alternate, median, ms, percent, ratioLine } from "./support/figures.ts";
import { makeGroup, register } from "./support/people.ts";

const CONNECTIONS = 50;
const SECONDS = 5;
const WARM_UP_SECONDS = 3;

type Measured = ReadRound & { server: number };

const describe = ({ requests, p50, p99, load, server }: Omit<Measured, "failed">): string =>
	`${Math.round(requests)} requests/s, p50 ${ms(p50)} p99 ${ms(p99)}, of one core: generator ${percent(load)}, server's Node ${percent(server)}`;

export async function read(rounds: number): Promise<void> {
	await withDirectory(async (directory) => {
		const database = await startEmbedded(directory);
		const ours = await startPlatform(directory, { DATABASE_URL: database.ownerUrl });
		const people = await register(ours.url, 2);
		const groupId = await makeGroup(ours.url, people);
		const reader = people[1] as (typeof people)[number];
		const issuer = JSON.parse(Buffer.from(reader.token.split(".")[1] ?? "", "base64url").toString()).iss as string;
		const peer = await startPeer("fastify.ts", [database.ownerUrl, `${ours.url}/.well-known/jwks.json`, issuer]);
		const load = startLoad<ReadAsk, ReadRound>("read.ts");
		try {
			const servers = { ours, peer };
			const round = async (target: "ours" | "peer", seconds: number): Promise<Measured> => {
				const before = await processorTime(servers[target].pid);
				const began = performance.now();
				const result = await load.ask({
					url: `${servers[target].url}/api/groups/${groupId}`,
					token: reader.token,
					connections: CONNECTIONS,
					seconds,
				});
				const server = ((await processorTime(servers[target].pid)) - before) / ((performance.now() - began) / 1000);
				return { ...result, server };
			};
			for (const target of ["ours", "peer"] as const) await round(target, WARM_UP_SECONDS);
			const results = await alternate(
				rounds,
				{ ours: () => round("ours", SECONDS), peer: () => round("peer", SECONDS) },
				(which, result) => {
					console.log(`  ${which}: ${describe(result)}`);
					if (result.failed > 0) throw new Error(`The round does not count: ${result.failed} answers failed.`);
				},
			);
			const of = (target: "ours" | "peer", figure: keyof Measured) => median((results[target] ?? []).map((result) => result[figure]));
			for (const target of ["ours", "peer"] as const) {
				const figures = {
					requests: of(target, "requests"),
					p50: of(target, "p50"),
					p99: of(target, "p99"),
					load: of(target, "load"),
					server: of(target, "server"),
				};
				console.log(`  median ${target}: ${describe(figures)}`);
			}
			console.log(ratioLine("read", of("ours", "requests"), of("peer", "requests")));
		} finally {
			await load.stop();
			await peer.stop();
			await ours.stop();
			await database.stop();
		}
	});
}
