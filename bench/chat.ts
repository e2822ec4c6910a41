// `npm run bench -- chat`: 20 people send into a room of 100 (and into ten rooms of ten), each waiting for the
// acknowledgement. Ours stores, numbers and tells facts; the peer is a bare Socket.IO broadcast that keeps nothing.
import type { ChatAsk, ChatRound, Room } from "./load/chat.ts";
import type { Child, Load } from "./support/children.ts";
import { processorTime, startLoad, startPeer, startPlatform, withDirectory } from "./support/children.ts";
import { alternate, median, ms, percent, ratioLine } from "./support/figures.ts";
import { makeGroup, register } from "./support/people.ts";

const MEMBERS = 100;
const SENDERS = 20;
const TEXT_BYTES = 200;
const ROUND_MS = 5_000;
const WARM_UP_MS = 3_000;

type Measured = ChatRound & { server: number };

async function compare(
	name: string,
	load: Load<ChatAsk, ChatRound>,
	targets: Record<"ours" | "peer", Child>,
	rooms: Room[],
	rounds: number,
): Promise<void> {
	console.log(`\n${name}: ${rooms.length} × ${rooms[0]?.tokens.length} members, ${SENDERS} senders, ${TEXT_BYTES}-byte texts`);
	const round = async (target: "ours" | "peer", length: number): Promise<Measured> => {
		const before = await processorTime(targets[target].pid);
		const began = performance.now();
		const result = await load.ask({ kind: "round", target, senders: SENDERS, textBytes: TEXT_BYTES, ms: length });
		const server = ((await processorTime(targets[target].pid)) - before) / ((performance.now() - began) / 1000);
		return { ...result, server };
	};
	const names = ["ours", "peer"] as const;
	for (const target of names) await load.ask({ kind: "open", target, urls: [targets[target].url], rooms });
	for (const target of names) await round(target, WARM_UP_MS);
	const results = await alternate(rounds, { ours: () => round("ours", ROUND_MS), peer: () => round("peer", ROUND_MS) }, (which, result) => {
		console.log(`  ${which}: ${describe(result)}`);
		if (result.faults.length > 0) throw new Error(`The round does not count: ${result.faults.join("; ")}`);
	});
	for (const target of names) await load.ask({ kind: "close", target });
	const of = (target: "ours" | "peer", figure: keyof Omit<ChatRound, "faults"> | "server") =>
		median((results[target] ?? []).map((result) => result[figure] as number));
	for (const target of names) {
		const figures = {
			deliveries: of(target, "deliveries"),
			messages: of(target, "messages"),
			p50: of(target, "p50"),
			p99: of(target, "p99"),
			load: of(target, "load"),
			server: of(target, "server"),
		};
		console.log(`  median ${target}: ${describe(figures)}`);
	}
	console.log(ratioLine(name, of("ours", "deliveries"), of("peer", "deliveries")));
}

const describe = ({ deliveries, messages, p50, p99, load, server }: Omit<Measured, "faults">): string =>
	`${Math.round(deliveries)} deliveries/s, ${Math.round(messages)} messages/s, acknowledgement p50 ${ms(p50)} p99 ${ms(p99)}, of one core: generator ${percent(load)}, server's Node ${percent(server)}`;

export async function chat(rounds: number): Promise<void> {
	await withDirectory(async (directory) => {
		const ours = await startPlatform(directory);
		const peer = await startPeer("socketio.ts");
		const load = startLoad<ChatAsk, ChatRound>("chat.ts");
		try {
			const people = await register(ours.url, MEMBERS);
			const roomsOf = async (count: number): Promise<Room[]> => {
				const size = people.length / count;
				const rooms: Room[] = [];
				for (let room = 0; room < count; room++) {
					const members = people.slice(room * size, (room + 1) * size);
					rooms.push({ id: await makeGroup(ours.url, members), tokens: members.map((member) => member.token) });
				}
				return rooms;
			};
			await compare("chat", load, { ours, peer }, await roomsOf(1), rounds);
			await compare("chat-10x10", load, { ours, peer }, await roomsOf(10), rounds);
		} finally {
			await load.stop();
			await peer.stop();
			await ours.stop();
		}
	});
}
