// `npm run bench -- identity`: people who sign in, and what others notice of it. One process: logins at 20 parallel, a chat's latency
// beside them and alone, refreshes. A cluster with two doors of each kind: how soon a revocation is at all of them, and what
// verified requests ask of the identity node.
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "nats";
import { nodes } from "../services/contracts/index.ts";
import { allBut, Cluster } from "../test/cluster/support/cluster.ts";
import type { ChatAsk, ChatRound } from "./load/chat.ts";
import type { IdentityAsk, IdentityRound } from "./load/identity.ts";
import { openMember } from "./load/member.ts";
import type { Child, Load } from "./support/children.ts";
import { processorTime, startLoad, startPlatform, withDirectory } from "./support/children.ts";
import { median, ms, percent, percentile } from "./support/figures.ts";
import type { BenchPerson } from "./support/people.ts";
import { eachOf, makeGroup, PASSWORD, register, request } from "./support/people.ts";

const PEOPLE = 40;
const PARALLEL = 20;
const ROUND_MS = 5_000;
const WARM_UP_MS = 2_000;
/** A room where people talk, and nobody shouts: 20 messages a second to 20 members. */
const CHAT = { senders: 4, textBytes: 200, everyMs: 200 };
const REVOCATIONS = 40;
const VERIFIED = 2_000;
const AIMS = { loginP99: 400, refreshes: 1_000, revocation: 1_000 };

const met = (is: boolean): string => (is ? "met" : "missed");

interface Targets {
	ours: Child;
	people: BenchPerson[];
	chat: Load<ChatAsk, ChatRound>;
	load: Load<IdentityAsk, IdentityRound>;
}

async function share<T>(pid: number, work: () => Promise<T>): Promise<T & { server: number }> {
	const [before, began] = [await processorTime(pid), performance.now()];
	const result = await work();
	return { ...result, server: ((await processorTime(pid)) - before) / ((performance.now() - began) / 1000) };
}

const describe = ({ perSecond, p50, p99, load, server }: Omit<IdentityRound, "refreshTokens"> & { server: number }): string =>
	`${Math.round(perSecond)}/s, p50 ${ms(p50)} p99 ${ms(p99)}, of one core: generator ${percent(load)}, server's Node ${percent(server)}`;

const middle = <R extends object>(rounds: readonly R[], figure: keyof R): number => median(rounds.map((round) => Number(round[figure])));

async function logins({ ours, people, chat, load }: Targets, rounds: number): Promise<void> {
	const login = (length: number) =>
		share(ours.pid, () =>
			load.ask({
				kind: "login",
				url: ours.url,
				emails: people.map(({ email }) => email),
				password: PASSWORD,
				parallel: PARALLEL,
				ms: length,
			}),
		);
	const talk = async (length: number): Promise<ChatRound> => {
		const round = await chat.ask({ kind: "round", target: "ours", ms: length, ...CHAT });
		if (round.faults.length > 0) throw new Error(`The round does not count: ${round.faults.join("; ")}`);
		return round;
	};
	const groupId = await makeGroup(ours.url, people.slice(0, PARALLEL));
	const tokens = people.slice(0, PARALLEL).map(({ token }) => token);
	await chat.ask({ kind: "open", target: "ours", urls: [ours.url], rooms: [{ id: groupId, tokens }] });
	await Promise.all([login(WARM_UP_MS), talk(WARM_UP_MS)]);

	console.log(
		`\nlogins, ${PARALLEL} at a time; a chat of ${CHAT.senders * (1000 / CHAT.everyMs)} messages/s to ${PARALLEL} members, alone and beside them`,
	);
	const alone: (IdentityRound & { server: number })[] = [];
	const quiet: ChatRound[] = [];
	const beside: ChatRound[] = [];
	for (let round = 1; round <= rounds; round++) {
		alone.push(await login(ROUND_MS));
		quiet.push(await talk(ROUND_MS));
		const [, talked] = await Promise.all([login(ROUND_MS), talk(ROUND_MS)]);
		beside.push(talked);
		console.log(`  round ${round} logins: ${describe(alone.at(-1) as (typeof alone)[number])}`);
		console.log(
			`  round ${round} chat: p50 ${ms(quiet.at(-1)?.p50 ?? 0)} p99 ${ms(quiet.at(-1)?.p99 ?? 0)} alone, p50 ${ms(talked.p50)} p99 ${ms(talked.p99)} beside`,
		);
	}
	await chat.ask({ kind: "close", target: "ours" });
	const p99 = middle(alone, "p99");
	console.log(
		`  median logins: ${Math.round(middle(alone, "perSecond"))}/s, p50 ${ms(middle(alone, "p50"))} p99 ${ms(p99)} (aim ≤ ${AIMS.loginP99} ms: ${met(p99 <= AIMS.loginP99)})`,
	);
	const [one, other] = [middle(quiet, "p99"), middle(beside, "p99")];
	console.log(`  median chat p99: ${ms(one)} alone, ${ms(other)} beside (aim ≤ 2 times: ${met(other <= 2 * one)})`);
	console.log(`ratio identity-chat-p99: ${(other / one).toFixed(2)} (beside logins ${ms(other)}, alone ${ms(one)})`);
}

async function refreshes({ ours, people, load }: Targets, rounds: number): Promise<void> {
	console.log(`\nrefreshes, ${people.length} sessions, each uses one token after the other`);
	let refreshTokens = people.map(({ refreshToken }) => refreshToken);
	const round = async (length: number) => {
		const result = await share(ours.pid, () => load.ask({ kind: "refresh", url: ours.url, refreshTokens, ms: length }));
		refreshTokens = result.refreshTokens;
		return result;
	};
	await round(WARM_UP_MS);
	const results: Awaited<ReturnType<typeof round>>[] = [];
	for (let number = 1; number <= rounds; number++) {
		results.push(await round(ROUND_MS));
		console.log(`  round ${number}: ${describe(results.at(-1) as (typeof results)[number])}`);
	}
	const rate = middle(results, "perSecond");
	console.log(
		`  median: ${Math.round(rate)} refreshes/s, p99 ${ms(middle(results, "p99"))} (aim ≥ ${AIMS.refreshes}/s: ${met(rate >= AIMS.refreshes)})`,
	);
}

/** Milliseconds from the answer of a logout until each door has noticed: HTTP doors refuse, sockets are closed. */
async function revocation(cluster: Cluster, { token }: BenchPerson): Promise<number[]> {
	const [apis, sockets] = [cluster.doors("api"), cluster.doors("socket")];
	const members = await Promise.all(sockets.map((url) => openMember(url, token)));
	for (const url of apis) await request(url, "GET", "/api/auth/me", token);
	await request(apis[0] as string, "POST", "/api/auth/logout", token);
	const began = performance.now();
	const refused = async (url: string): Promise<number> => {
		for (;;) {
			const { status } = await fetch(new URL("/api/groups", url), { headers: { Authorization: `Bearer ${token}` } });
			if (status === 401) return performance.now() - began;
		}
	};
	const closed = async (member: (typeof members)[number]): Promise<number> => {
		while (member.faults.length === 0) await pause(1);
		return performance.now() - began;
	};
	return Promise.all([...apis.map(refused), ...members.map(closed)]);
}

async function revocations(cluster: Cluster, people: readonly BenchPerson[]): Promise<void> {
	console.log(
		`\na logout until it is at every door: ${cluster.doors("api").length} for HTTP, ${cluster.doors("socket").length} for sockets, ${REVOCATIONS} times`,
	);
	const last: number[] = [];
	for (const person of people.slice(0, REVOCATIONS)) last.push(Math.max(...(await revocation(cluster, person))));
	const worst = Math.max(...last);
	console.log(
		`  median ${ms(median(last))}, p90 ${ms(percentile(last, 0.9))}, worst ${ms(worst)} (aim ≤ ${AIMS.revocation} ms: ${met(worst <= AIMS.revocation)})`,
	);
}

/** What is asked of the identity node over NATS, by action, while `work` is done. */
async function askedOfIdentity(cluster: Cluster, work: () => Promise<void>): Promise<Map<string, number>> {
	const names = new Set(nodes.identity.flatMap(({ actions }) => Object.keys(actions)).map((action) => action.split(".")[0]));
	const counted = new Map<string, number>();
	const nats = await connect({ servers: cluster.servers.nats.url.split(",") });
	nats.subscribe(">", {
		callback(_error, { subject }) {
			const action = /(?:^|\.)REQB\.(.+)$/.exec(subject)?.[1];
			if (action && names.has(action.split(".")[0] as string)) counted.set(action, (counted.get(action) ?? 0) + 1);
		},
	});
	await nats.flush();
	await work();
	await nats.flush();
	await nats.close();
	return counted;
}

async function verified(cluster: Cluster, people: readonly BenchPerson[]): Promise<void> {
	const [first, second] = cluster.doors("api") as [string, string];
	const person = people.at(-1) as BenchPerson;
	const groupId = await makeGroup(first, [person]);
	const began = performance.now();
	const counted = await askedOfIdentity(cluster, async () => {
		await eachOf([...Array(VERIFIED).keys()], 16, (index) =>
			request(index % 2 === 0 ? first : second, "GET", `/api/groups/${groupId}`, (people[index % people.length] as BenchPerson).token),
		);
	});
	const seconds = (performance.now() - began) / 1000;
	const byAction = [...counted].map(([action, count]) => `${action} ${count}`).join(", ");
	const ofRequests = [...counted].filter(([action]) => action !== "identity.revocations" && action !== "identity.jwks");
	console.log(`\n${VERIFIED} verified requests of ${people.length} people at two doors, in ${seconds.toFixed(1)} s`);
	console.log(
		`  calls to identity: ${byAction || "none"} (aim: none for a request; doors ask now and then, whatever comes: ${met(ofRequests.length === 0)})`,
	);
}

export async function identity(rounds: number): Promise<void> {
	await withDirectory(async (directory) => {
		const ours = await startPlatform(directory);
		const [chat, load] = [startLoad<ChatAsk, ChatRound>("chat.ts"), startLoad<IdentityAsk, IdentityRound>("identity.ts")];
		try {
			const targets = { ours, chat, load, people: await register(ours.url, PEOPLE) };
			await logins(targets, rounds);
			await refreshes(targets, rounds);
		} finally {
			await load.stop();
			await chat.stop();
			await ours.stop();
		}
	});
	const cluster = await Cluster.start({ shape: { [allBut("api", "socket", "identity")]: 1, identity: 1, api: 2, socket: 2 } });
	try {
		const people = await register(cluster.doors("api")[0] as string, REVOCATIONS + 10);
		await revocations(cluster, people);
		await verified(cluster, people.slice(REVOCATIONS));
	} finally {
		await cluster.stop();
	}
}
