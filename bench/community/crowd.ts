// A gateway dies with the members of one large group on it, all of whom follow its presence; all come to the other one and ask again.
// What each of them is told, what somebody who stayed is told, and what the presence node is asked. BENCH_CROWD: how many they are.
import { connect } from "nats";
import { allBut, Cluster } from "../../test/cluster/support/cluster.ts";
import type { CrowdAsk, CrowdResult } from "../load/crowd.ts";
import { openMember } from "../load/member.ts";
import { startLoad } from "../support/children.ts";
import { ms } from "../support/figures.ts";
import type { BenchPerson } from "../support/people.ts";
import { makeGroup, register } from "../support/people.ts";

const PEOPLE = Number(process.env.BENCH_CROWD ?? 5_000);
/** By then a gateway's silence has been noticed, and everybody who came has been told of. */
const SETTLE_MS = 8_000;
/** Followed by their ids, by somebody who stays: as many as one may ask for. */
const BY_ID = 100;
/** Moleculer's requests and events; their names are in the packets. */
const COUNTED = /\.(REQB?|EVENTB?)(\.|$)/;
const OF_INTEREST = /^(presence|blocks|groups)\./;

/** What goes over NATS while `work` is done: messages and bytes, by action or signal. */
async function counted<T>(
	cluster: Cluster,
	work: () => Promise<T>,
): Promise<{ result: T; said: Map<string, { count: number; bytes: number }> }> {
	const said = new Map<string, { count: number; bytes: number }>();
	const nats = await connect({ servers: cluster.servers.nats.url.split(",") });
	nats.subscribe(">", {
		callback(_error, { subject, data }) {
			if (!COUNTED.test(subject)) return;
			const { action, event } = JSON.parse(Buffer.from(data).toString()) as { action?: string; event?: string };
			const name = action ?? event ?? "";
			if (!OF_INTEREST.test(name)) return;
			const { count = 0, bytes = 0 } = said.get(name) ?? {};
			said.set(name, { count: count + 1, bytes: bytes + data.length });
		},
	});
	await nats.flush();
	const result = await work();
	await nats.flush();
	await nats.close();
	return { result, said };
}

export async function crowd(): Promise<void> {
	const cluster = await Cluster.start({ shape: { [allBut("socket", "presence")]: 1, presence: 1, socket: 2 } });
	const load = startLoad<CrowdAsk, CrowdResult>("crowd.ts");
	try {
		const api = cluster.doors("api")[0] as string;
		const [host, ...people] = (await register(api, PEOPLE + 1)) as [BenchPerson, ...BenchPerson[]];
		const groupId = await makeGroup(api, [host, ...people]);
		const [dying, living] = cluster.of("socket");
		if (!dying || !living) throw new Error("The crowd needs two gateways.");
		await load.ask({ kind: "open", url: dying.url, groupId, tokens: people.map(({ token }) => token) });
		const stays = [await openMember(living.url, host.token), await openMember(living.url, host.token)] as const;
		await stays[0].emit("presence:subscribe", { groupId });
		await stays[1].emit("presence:subscribe", { profileIds: people.slice(0, BY_ID).map(({ profileId }) => profileId) });
		const before = stays.map(({ signals, signalBytes }) => ({ signals, signalBytes }));
		const { result, said } = await counted(cluster, async () => {
			await dying.end("SIGKILL");
			return load.ask({ kind: "storm", url: living.url, groupId, settleMs: SETTLE_MS });
		});
		console.log(
			`  ${PEOPLE} people of one group, who all follow it: all back and told after ${ms(result.last)}, answers of ${result.answerBytes} bytes`,
		);
		console.log(`  told to one of them since, at most: ${result.signals} signals, ${result.bytes} bytes`);
		for (const [at, what] of [`the group (a sample where it is large)`, `${BY_ID} of them by their ids`].entries()) {
			const told = stays[at] as (typeof stays)[number];
			const was = before[at] as (typeof before)[number];
			console.log(
				`  told to one who stayed and follows ${what}: ${told.signals - was.signals} signals, ${told.signalBytes - was.signalBytes} bytes`,
			);
		}
		for (const [name, { count, bytes }] of [...said].sort(([one], [other]) => one.localeCompare(other)))
			console.log(`  over NATS: ${name} ${count} times, ${bytes} bytes`);
		for (const member of stays) member.close();
		await load.ask({ kind: "close" });
	} finally {
		await load.stop();
		await cluster.stop();
	}
}
