/**
 * A trial of a cluster: people who write and listen while something is done to it, and then a judgement. Each phase has rooms of
 * its own, so that what is wrong afterwards is the doing of that phase; the ledger is judged over all of them.
 */
import { person } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { breaches, check } from "./checker.ts";
import type { Verdict } from "./checker.ts";
import type { Cluster } from "./cluster.ts";
import { Effects } from "./effects.ts";
import type { Asked, LoggedEvent } from "./history.ts";
import { longestGap } from "./history.ts";
import type { Account } from "./people.ts";
import { HttpClient, Journal, SocketClient } from "./people.ts";

/** Sockets; the first half of them write, too. */
const LISTENERS = 8;
/** Write over HTTP. Each phase has other ones of the pool, so that there are always some whose messages are paid for. */
const AUTHORS = 4;
const POOL = 24;
/** Come once, and do not come back when their connection ends: they are shown as gone then. */
const VISITORS = 4;
const ROOMS = 2;
/** Of the messages that nobody knows of, so many are sent again until they are acknowledged. */
const INSIST = 0.8;
/** Between two messages of one writer (ms): the load is steady, not as much as can be. */
const BREATH_MS = 25;
/** After a fault, every writer must have been served again within this time (ms). */
const RECOVERY_MS = 30_000;
const PRESENCE_MS = 5_000;
const SETTLE_MS = 20_000;

export interface Report {
	phase: string;
	verdict: Verdict;
	/** Whatever breaks a guarantee: of the log, of the listeners, of facts, of presence. Empty where all hold. */
	broken: string[];
	failedRequests: Asked[];
	requests: number;
	longestGapMs: number;
	/** From the end of the fault until every writer was served again (ms). */
	recoveredAfterMs: number;
	presenceRightAfterMs: number;
}

export interface PhaseOptions {
	/** So many more sockets that listen, all of them on the first door to begin with. */
	crowd?: number;
	/** Between two messages of one writer (ms). */
	breathMs?: number;
}

/** What a fault may want to know of the load it is done under. */
export interface Progress {
	/** Resolved, with the milliseconds it took, when every writer has been served again. */
	servedAgain(): Promise<number>;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class Trial {
	readonly cluster: Cluster;
	readonly #listeners: Account[];
	readonly #authors: Account[];
	readonly #visitors: Account[];
	readonly #effects: Effects;
	/** How long frames and facts may be under way when the load has ended. */
	readonly #settleMs: number;
	#phases = 0;

	/** Registers everybody. */
	static async on(cluster: Cluster, { settleMs = SETTLE_MS } = {}): Promise<Trial> {
		const register = (name: string) => eventually(() => person(cluster.doors("api")[0] as string, name), 30_000);
		const listeners: Account[] = [];
		const authors: Account[] = [];
		for (let n = 0; n < LISTENERS; n++) listeners.push(await register(`Listener ${n}`));
		const visitors: Account[] = [];
		for (let n = 0; n < POOL; n++) authors.push(await register(`Author ${n}`));
		for (let n = 0; n < VISITORS; n++) visitors.push(await register(`Visitor ${n}`));
		return new Trial(cluster, listeners, authors, visitors, settleMs);
	}

	private constructor(cluster: Cluster, listeners: Account[], authors: Account[], visitors: Account[], settleMs: number) {
		this.cluster = cluster;
		this.#listeners = listeners;
		this.#authors = authors;
		this.#visitors = visitors;
		this.#settleMs = settleMs;
		this.#effects = new Effects(cluster.servers.postgres.url);
	}

	/** Does `fault` under load, waits until all are served again, and judges. */
	async phase(name: string, fault: (progress: Progress) => Promise<unknown>, options: PhaseOptions = {}): Promise<Report> {
		const { crowd = 0, breathMs = BREATH_MS } = options;
		const number = this.#phases++;
		const authors = Array.from({ length: AUTHORS }, (_, n) => this.#authors[(number * AUTHORS + n) % POOL] as Account);
		const groups = await this.#rooms([...this.#listeners, ...(crowd > 0 ? this.#authors : authors)], name);
		const journal = new Journal();
		const clients = this.#listeners.map((account, n) => new SocketClient(this.cluster, journal, account, n));
		for (let n = 0; n < crowd; n++) clients.push(new SocketClient(this.cluster, journal, this.#authors[n % POOL] as Account, 0));
		const visitors = this.#visitors.map((account, n) => new SocketClient(this.cluster, journal, account, n, { comesBack: false }));
		const everybody = [...clients, ...visitors];
		const https = authors.map((_, n) => new HttpClient(this.cluster, journal, n));
		try {
			await Promise.all(everybody.map((client) => client.open()));
			for (const { id, head } of groups) await Promise.all(clients.map((client) => client.listen(id, head)));

			const load = new Load(
				groups.map(({ id }) => id),
				breathMs,
			);
			const began = performance.now();
			for (const client of clients.slice(0, LISTENERS / 2))
				load.write(client.name, (group, clientId, text) => client.send(group, `${number}-${clientId}`, text));
			for (const [n, author] of authors.entries())
				load.write(author.displayName, (group, clientId, text) =>
					(https[n] as HttpClient).send(author, group, `${number}-${clientId}`, text),
				);
			load.read(() => this.#look(https[0] as HttpClient, authors[0] as Account, groups[0]?.id as string));
			await load.servedAgain(RECOVERY_MS);
			await fault({ servedAgain: () => load.servedAgain(RECOVERY_MS) });
			const recoveredAfterMs = await load.servedAgain(RECOVERY_MS);
			const presence = await this.#presence(everybody);
			const ended = performance.now();
			await load.stop();

			const logs = new Map<string, { after: number; events: LoggedEvent[] }>();
			for (const { id, head } of groups) logs.set(`group:${id}`, { after: head, events: await this.#log(id, head) });
			// Those who are late have until then; who has not heard all of it by then is found by the checker.
			await eventually(() => {
				for (const client of clients)
					for (const { id } of groups) if (client.reached(id) < (logs.get(`group:${id}`)?.events.at(-1)?.seq ?? 0)) throw new Error("late");
			}, this.#settleMs).catch(() => {});
			const verdict = check({ attempts: journal.attempts, logs, heard: journal.heard });
			const messages = [...logs.values()]
				.flatMap(({ events }) => events)
				.flatMap(({ message, by, at }) => (message ? [{ id: message.id, sender: by.profileId, at }] : []));
			const effects = await this.#effects.check(messages, this.#settleMs);
			for (const client of everybody) client.close();
			const gone = await this.#presence(everybody);
			const broken = [...breaches(verdict), ...effects.map((what) => `effects: ${what}`), ...presence.wrong, ...gone.wrong];
			return {
				phase: name,
				verdict,
				broken,
				failedRequests: journal.asked.filter(({ failure }) => failure !== undefined),
				requests: journal.asked.length,
				longestGapMs: longestGap(journal.attempts, began, ended),
				recoveredAfterMs,
				presenceRightAfterMs: Math.max(presence.afterMs, gone.afterMs),
			};
		} finally {
			for (const client of everybody) client.close();
		}
	}

	/** Groups of everybody, and their heads once all have joined. */
	async #rooms(members: readonly Account[], name: string): Promise<{ id: string; head: number }[]> {
		const setup = new HttpClient(this.cluster, new Journal());
		const founder = members[0] as Account;
		const ok = (account: Account, method: string, path: string, body?: unknown) =>
			eventually(async () => {
				const answer = await setup.request(account, method, path, body);
				if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status} ${JSON.stringify(answer.body)}`);
				return answer.body;
			}, RECOVERY_MS);
		const groups: { id: string; head: number }[] = [];
		for (let n = 0; n < ROOMS; n++) {
			const { id } = await ok(founder, "POST", "/api/groups", { name: `${name} ${n}`.slice(0, 60), isPublic: true });
			for (const member of members.slice(1)) await ok(member, "POST", `/api/groups/${id}/join`, {});
			groups.push({ id, head: (await ok(founder, "GET", `/api/groups/${id}`)).head });
		}
		return groups;
	}

	/** What people look at beside writing. */
	async #look(http: HttpClient, account: Account, groupId: string): Promise<void> {
		for (const path of [
			`/api/groups/${groupId}`,
			`/api/groups/${groupId}/messages?limit=20`,
			"/api/auth/me",
			"/api/gamification/points/me",
		])
			await http.request(account, "GET", path).catch(() => {});
	}

	/** Everybody is shown as they are, within five seconds: after how long, or what is wrong by then. */
	async #presence(clients: readonly SocketClient[]): Promise<{ afterMs: number; wrong: string[] }> {
		const setup = new HttpClient(this.cluster, new Journal());
		const people = Map.groupBy(clients, ({ account }) => account.profileId);
		const ids = [...people.keys()];
		const began = performance.now();
		let wrong: string[] = [];
		await eventually(async () => {
			wrong = ["presence: nobody answers"];
			const { body } = await setup.request(this.#listeners[0], "GET", `/api/presence?ids=${ids.join(",")}`);
			const shown = new Map((body.data as { profileId: string; status: string }[]).map(({ profileId, status }) => [profileId, status]));
			wrong = [...people].flatMap(([profileId, own]) => {
				const due = own.some(({ connectedTo }) => connectedTo) ? "online" : "offline";
				const status = shown.get(profileId);
				return status === due ? [] : [`presence: ${own[0]?.name} is ${due} and is shown as ${status}`];
			});
			if (wrong.length > 0) throw new Error(wrong[0]);
		}, PRESENCE_MS).catch(() => {});
		return { afterMs: performance.now() - began, wrong };
	}

	/** The whole log of a room, as the server gives it. */
	async #log(groupId: string, after: number): Promise<LoggedEvent[]> {
		const setup = new HttpClient(this.cluster, new Journal());
		const events: LoggedEvent[] = [];
		for (;;) {
			const last = events.at(-1)?.seq ?? after;
			const { data, head } = await eventually(async () => {
				const { status, body } = await setup.request(this.#listeners[0], "GET", `/api/groups/${groupId}/events?after=${last}&limit=500`);
				if (status !== 200) throw new Error(`the log of ${groupId} answered ${status}`);
				return body;
			}, RECOVERY_MS);
			events.push(...data);
			if (data.length === 0 || (events.at(-1)?.seq ?? 0) >= head) return events;
		}
	}
}

type Write = (groupId: string, clientId: string, text: string) => Promise<"ok" | "failed" | "unknown">;

/** Writers and readers that go on until they are told to stop. */
class Load {
	readonly #groups: string[];
	readonly #breathMs: number;
	readonly #loops: Promise<void>[] = [];
	/** How many messages of each writer were acknowledged. */
	readonly #served = new Map<string, number>();
	#going = true;

	constructor(groups: string[], breathMs: number) {
		this.#groups = groups;
		this.#breathMs = breathMs;
	}

	write(name: string, send: Write): void {
		this.#served.set(name, 0);
		this.#loops.push(this.#writing(name, send));
	}

	read(look: () => Promise<void>): void {
		this.#loops.push(
			(async () => {
				for (; this.#going; await pause(this.#breathMs)) await look();
			})(),
		);
	}

	/** Resolved, with the milliseconds it took, when every writer has had two more messages acknowledged; rejects after `limitMs`. */
	async servedAgain(limitMs: number): Promise<number> {
		const began = performance.now();
		const before = new Map(this.#served);
		await eventually(() => {
			for (const [name, count] of this.#served)
				if (count < (before.get(name) ?? 0) + 2) throw new Error(`${name} was not served again within ${limitMs / 1000} s.`);
		}, limitMs);
		return performance.now() - began;
	}

	async stop(): Promise<void> {
		this.#going = false;
		await Promise.all(this.#loops);
	}

	async #writing(name: string, send: Write): Promise<void> {
		for (let n = 0; this.#going; n++) {
			const group = this.#groups[n % this.#groups.length] as string;
			const insist = Math.random() < INSIST;
			for (let tries = 0; ; tries++) {
				const outcome = await send(group, String(n), `message ${n} of ${name}`).catch(() => "unknown" as const);
				if (outcome === "ok") this.#served.set(name, (this.#served.get(name) ?? 0) + 1);
				if (outcome !== "unknown" || !insist || (!this.#going && tries > 20)) break;
				await pause(100);
			}
			await pause(this.#breathMs);
		}
	}
}
