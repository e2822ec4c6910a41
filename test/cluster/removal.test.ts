// After a member is removed nothing later reaches them, on any socket of any gateway: not what is under way, not by joining again or
// resuming, not by asking for history. They take down everything that reaches them and are put out in the midst of it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Socket } from "socket.io-client";
import type { Person } from "../support/client.ts";
import { connect, is, person, say } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { needs } from "../support/servers.ts";
import { allBut, Cluster } from "./support/cluster.ts";

/** Everything of one group that reached somebody, by whichever way: the number it had, and how it came. */
class Victim {
	readonly person: Person;
	readonly heard: { seq: number; how: string }[] = [];
	/** When a sign of somebody typing last came (performance.now()). */
	typedAt = 0;
	refusals = 0;
	readonly #sockets: Socket[] = [];
	readonly #groupId: string;
	#over = false;

	constructor(who: Person, groupId: string) {
		this.person = who;
		this.#groupId = groupId;
	}

	/** A socket at a gateway, which goes on joining and resuming from wherever it is. */
	async listen(url: string): Promise<void> {
		const socket = await connect(url, this.person.accessToken);
		this.#sockets.push(socket);
		const room = `group:${this.#groupId}`;
		let known = 0;
		const take = (how: string, events: { seq: number }[]) => {
			for (const { seq } of events) {
				this.heard.push({ seq, how });
				known = Math.max(known, seq);
			}
		};
		socket.on("events", (frame: { room: string; events: { seq: number }[] }) => frame.room === room && take("live", frame.events));
		socket.on("signal", ({ type, seq }: { type: string; seq?: number }) => {
			if (type === "read" && seq !== undefined) this.heard.push({ seq, how: "read mark" });
			if (type === "typing") this.typedAt = performance.now();
		});
		await say(socket, "group:join", { groupId: this.#groupId });
		void this.#again(async (turn) => {
			if (turn % 3 === 0) take("group:join", (await say(socket, "group:join", { groupId: this.#groupId, after: known })).events);
			else {
				const answer = (await say(socket, "resume", { rooms: { [room]: known } })).rooms[room];
				if (answer.error) throw answer.error;
				take("resume", answer.events);
			}
		});
	}

	/** Goes on asking for history. */
	read(): void {
		void this.#again(async (turn) => {
			const path = turn % 2 === 0 ? "messages?limit=50" : "events?limit=500";
			const { status, body } = await this.person.get(`/api/groups/${this.#groupId}/${path}`);
			if (status !== 200) throw body;
			for (const { seq } of body.data) this.heard.push({ seq, how: path });
		});
	}

	async #again(ask: (turn: number) => Promise<void>): Promise<void> {
		for (let turn = 0; !this.#over; turn++) {
			await ask(turn).catch(() => void this.refusals++);
			await pause(Math.random() * 10);
		}
	}

	stop(): void {
		this.#over = true;
		for (const socket of this.#sockets) socket.close();
	}
}

interface Talker {
	socket: Socket;
	done: Promise<void>;
	/** The number of what they said last. */
	last(): number;
}

/** Somebody who stays and goes on talking, reading and typing, at one gateway. */
async function talk(who: Person, url: string, groupId: string, isOver: () => boolean): Promise<Talker> {
	const socket = await connect(url, who.accessToken);
	await say(socket, "group:join", { groupId });
	let last = 0;
	const go = async () => {
		while (!isOver()) {
			try {
				const { seq } = await say(socket, "message:send", { groupId, clientId: randomUUID(), content: "On and on." });
				last = seq;
				await say(socket, "read", { groupId, seq });
				await say(socket, "typing", { groupId });
			} catch {
				await pause(20);
			}
			await pause(Math.random() * 4);
		}
	};
	return { socket, done: go(), last: () => last };
}

describe("who is removed", { skip: needs("nats-server", "redis-server", "postgres"), timeout: 240_000 }, () => {
	let cluster: Cluster;
	let ana: Person;
	before(async () => {
		cluster = await Cluster.start({ shape: { [allBut("socket", "groups")]: 1, groups: 2, socket: 3 } });
		ana = await person(cluster.one("api").url, "Ana");
	});
	after(() => cluster?.stop());

	/** @param meanwhile what happens around the removal; it is over when that resolves */
	async function trial(ways: readonly string[], meanwhile: (remove: () => Promise<void>) => Promise<void>): Promise<void> {
		const url = cluster.one("api").url;
		const gateways = cluster.doors("socket");
		const groupId: string = is(await ana.post("/api/groups", { name: "Menders", isPublic: true }), 201).body.id;
		const people = await Promise.all([...ways, "Cem", "Dia"].map((name) => person(url, name)));
		for (const who of people) is(await who.post(`/api/groups/${groupId}/join`), 200);
		const victims = people.slice(0, ways.length).map((who) => new Victim(who, groupId));
		let over = false;
		const talkers = await Promise.all(people.slice(ways.length).map((who, at) => talk(who, gateways[at] as string, groupId, () => over)));
		for (const victim of victims) {
			await Promise.all(gateways.map((gateway) => victim.listen(gateway)));
			victim.read();
		}
		await pause(400);
		const member = (who: Person) => `/api/groups/${groupId}/members/${who.profileId}`;
		const out: Record<string, (who: Person) => Promise<unknown>> = {
			kicked: async (who) => is(await ana.send("DELETE", member(who)), 204),
			banned: async (who) => is(await ana.post(`${member(who)}/ban`), 204),
			left: async (who) => is(await who.post(`/api/groups/${groupId}/leave`), 204),
		};
		await meanwhile(async () => {
			await Promise.all(
				victims.map(async ({ person: who }, at) => {
					await pause(Math.random() * 300);
					await out[ways[at] as string]?.(who);
				}),
			);
		});
		// The group goes on without them, as soon as it can.
		const { head } = is(await ana.get(`/api/groups/${groupId}/events?limit=1`), 200).body;
		await eventually(() => assert.ok(Math.max(...talkers.map(({ last }) => last())) > head + 20));
		await pause(1_000);
		// Who is out hears nobody type.
		const silentFrom = performance.now();
		for (let round = 0; round < 2; round++) {
			await Promise.all(talkers.map(({ socket }) => say(socket, "typing", { groupId })));
			await pause(300);
		}
		over = true;
		await Promise.all(talkers.map(({ done }) => done));
		for (const victim of victims) victim.stop();
		for (const { socket } of talkers) socket.close();

		const log: { seq: number; type: string; action?: string; profileId?: string }[] = [];
		for (let more = true; more; ) {
			const { data, head } = is(await ana.get(`/api/groups/${groupId}/events?limit=500&after=${log.length}`), 200).body;
			log.push(...data);
			more = log.length < head;
		}
		for (const [at, { person: who, heard, typedAt, refusals }] of victims.entries()) {
			const way = ways[at] as string;
			const removal = log.find(({ type, action, profileId }) => type === "member" && action === way && profileId === who.profileId);
			assert.ok(removal, `${way} is in the log`);
			assert.ok(log.length > removal.seq + 20, "the group went on without them");
			assert.ok(
				heard.some(({ seq }) => seq > removal.seq - 30),
				"they were there until then",
			);
			assert.deepEqual(
				heard.filter(({ seq }) => seq > removal.seq),
				[],
				`what was said after ${way} (${removal.seq} of ${log.length})`,
			);
			assert.ok(typedAt < silentFrom, "no typing");
			assert.ok(refusals > 5, "they went on asking");
		}
	}

	const ways = ["kicked", "banned", "left", "kicked"];

	for (let round = 1; round <= 3; round++)
		test(`gets nothing later on any of three gateways, in the midst of talk (${round})`, () => trial(ways, (remove) => remove()));

	test("gets nothing later from a gateway that slept meanwhile", () =>
		trial(ways, async (remove) => {
			const gateway = cluster.one("socket", 2);
			gateway.freeze();
			try {
				await remove();
				await pause(500);
			} finally {
				gateway.thaw();
			}
		}));

	test("gets nothing later while a process of groups sleeps, and the other one removes them", () =>
		trial(ways, async (remove) => {
			const owner = cluster.one("groups", 0);
			owner.freeze();
			const removed = remove();
			await pause(3_000);
			owner.thaw();
			await removed;
		}));

	test("gets nothing later while a process of groups sleeps again and again", () =>
		trial(ways, async (remove) => {
			let over = false;
			const removed = remove().finally(() => {
				over = true;
			});
			while (!over) {
				const owner = cluster.one("groups", 1);
				owner.freeze();
				await pause(60);
				owner.thaw();
				await pause(60);
			}
			await removed;
		}));
});
