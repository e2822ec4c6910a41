// `npm run bench -- cluster`: the chat of `npm run bench -- chat` through two gateways and two groups nodes, each a process of
// its own over NATS, against all nodes in one process. Both on a PostgreSQL of the same kind that waits for its disk.
import { allBut, Cluster } from "../test/cluster/support/cluster.ts";
import type { ChatAsk, ChatRound, Room } from "./load/chat.ts";
import type { Load } from "./support/children.ts";
import { processorTime, startLoad } from "./support/children.ts";
import { alternate, median, ms, percent, ratioLine } from "./support/figures.ts";
import type { BenchPerson } from "./support/people.ts";
import { makeGroup, register } from "./support/people.ts";

const MEMBERS = 100;
const SENDERS = 20;
const TEXT_BYTES = 200;
const ROUND_MS = 5_000;
const WARM_UP_MS = 3_000;

type Measured = ChatRound & { server: number };
type Name = "cluster" | "one";
interface Contender {
	cluster: Cluster;
	rooms: Room[];
}

async function contender(cluster: Cluster, people: readonly BenchPerson[], count: number): Promise<Contender> {
	const url = cluster.doors("api")[0] as string;
	const rooms: Room[] = [];
	for (let room = 0; room < count; room++) {
		const members = people.slice((room * MEMBERS) / count, ((room + 1) * MEMBERS) / count);
		rooms.push({ id: await makeGroup(url, members), tokens: members.map(({ token }) => token) });
	}
	return { cluster, rooms };
}

/** Processor seconds of all processes of the platform. */
async function used({ cluster }: Contender): Promise<number> {
	const times = await Promise.all(cluster.members.map(({ pid }) => processorTime(pid)));
	return times.reduce((sum, time) => sum + time, 0);
}

async function compare(name: string, load: Load<ChatAsk, ChatRound>, of: Record<Name, Contender>, rounds: number): Promise<void> {
	console.log(`\n${name}: ${of.one.rooms.length} × ${MEMBERS / of.one.rooms.length} members, ${SENDERS} senders, ${TEXT_BYTES}-byte texts`);
	const round = async (target: Name, length: number): Promise<Measured> => {
		const before = await used(of[target]);
		const began = performance.now();
		const result = await load.ask({ kind: "round", target, senders: SENDERS, textBytes: TEXT_BYTES, ms: length });
		return { ...result, server: ((await used(of[target])) - before) / ((performance.now() - began) / 1_000) };
	};
	const names = ["cluster", "one"] as const;
	for (const target of names) await load.ask({ kind: "open", target, urls: of[target].cluster.doors("socket"), rooms: of[target].rooms });
	for (const target of names) await round(target, WARM_UP_MS);
	const results = await alternate(
		rounds,
		{ cluster: () => round("cluster", ROUND_MS), one: () => round("one", ROUND_MS) },
		(which, result) => {
			console.log(`  ${which}: ${describe(result)}`);
			if (result.faults.length > 0) throw new Error(`The round does not count: ${result.faults.join("; ")}`);
		},
	);
	for (const target of names) await load.ask({ kind: "close", target });
	const middle = (target: Name, figure: keyof Omit<Measured, "faults">) => median((results[target] ?? []).map((result) => result[figure]));
	for (const target of names) {
		const figures = (["deliveries", "messages", "p50", "p99", "load", "server"] as const).map((figure) => [figure, middle(target, figure)]);
		console.log(`  median ${target}: ${describe(Object.fromEntries(figures))}`);
	}
	console.log(ratioLine(name, middle("cluster", "deliveries"), middle("one", "deliveries"), ["cluster", "one process"]));
}

const describe = ({ deliveries, messages, p50, p99, load, server }: Omit<Measured, "faults">): string =>
	`${Math.round(deliveries)} deliveries/s, ${Math.round(messages)} messages/s, acknowledgement p50 ${ms(p50)} p99 ${ms(p99)}, of one core: generator ${percent(load)}, all of the platform's Node ${percent(server)}`;

export async function cluster(rounds: number): Promise<void> {
	const many = await Cluster.start({ durable: true });
	const one = await Cluster.start({
		durable: true,
		shape: { [allBut()]: 1 },
		environment: { NATS_URL: "", REDIS_URL: "" },
	});
	const load = startLoad<ChatAsk, ChatRound>("chat.ts");
	try {
		const people = {
			many: await register(many.doors("api")[0] as string, MEMBERS),
			one: await register(one.doors("api")[0] as string, MEMBERS),
		};
		const sizes = { cluster: 1, "cluster-10x10": 10 };
		for (const [name, count] of Object.entries(sizes)) {
			const contenders = { cluster: await contender(many, people.many, count), one: await contender(one, people.one, count) };
			await compare(name, load, contenders, rounds);
		}
	} finally {
		await load.stop();
		await one.stop();
		await many.stop();
	}
}
