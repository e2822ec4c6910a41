// `npm run bench -- idle`: what a gateway, a process of its own, keeps in memory for a socket that is in one room and says nothing.
import { setTimeout as pause } from "node:timers/promises";
import { allBut, Cluster } from "../test/cluster/support/cluster.ts";
import type { StormAsk, StormResult } from "./load/storm.ts";
import { residentMemory, startLoad } from "./support/children.ts";
import { makeGroup, register } from "./support/people.ts";

const PEOPLE = 1_000;
const SOCKETS = 10_000;
const ROOMS = 20;
/** The handshakes' leftovers are collected by then. */
const SETTLE_MS = 20_000;
const AIM_KB = 40;

export async function idle(): Promise<void> {
	const cluster = await Cluster.start({ shape: { [allBut("socket")]: 1, socket: 1 } });
	const load = startLoad<StormAsk, StormResult>("storm.ts");
	try {
		const api = cluster.doors("api")[0] as string;
		const gateway = cluster.one("socket");
		const people = await register(api, PEOPLE);
		const size = PEOPLE / ROOMS;
		const groups: string[] = [];
		for (let room = 0; room < ROOMS; room++) groups.push(await makeGroup(api, people.slice(room * size, (room + 1) * size)));
		const sockets = Array.from({ length: SOCKETS }, (_, n) => ({
			token: people[n % PEOPLE]?.token as string,
			groupId: groups[Math.floor((n % PEOPLE) / size)] as string,
		}));
		// The first ones load and compile what all others use.
		await load.ask({ kind: "open", url: gateway.url, sockets: sockets.slice(0, 200) });
		await load.ask({ kind: "close" });
		await pause(SETTLE_MS / 4);
		const before = await residentMemory(gateway.pid);
		await load.ask({ kind: "open", url: gateway.url, sockets });
		const full = await residentMemory(gateway.pid);
		await pause(SETTLE_MS);
		const after = await residentMemory(gateway.pid);
		const each = ((after - before) * 1_000) / SOCKETS;
		console.log(
			`  resident: ${Math.round(before)} MB without, ${Math.round(full)} MB when all had come, ${Math.round(after)} MB when they were quiet`,
		);
		console.log(`memory of an idle socket: ${each.toFixed(1)} KB (aim ≤ ${AIM_KB} KB)`);
	} finally {
		await load.stop();
		await cluster.stop();
	}
}
