// kill -9 at random instants under load: what was acknowledged is stored, once, and the log has no gap.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, test } from "node:test";
import type { Person } from "../../support/client.ts";
import { connect, http, person, say } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import type { Running } from "../../support/process.ts";
import { dataDirectory, startProcess } from "../../support/process.ts";

const ROUNDS = 20;
const SENDERS = 6;

let data: Awaited<ReturnType<typeof dataDirectory>>;
before(async () => {
	data = await dataDirectory();
});
after(() => data.remove());

interface Sent {
	sender: Person;
	clientId: string;
	/** The seq acknowledged; null when nobody knows. */
	seq: number | null;
}

/** Sends until the process dies, half over sockets, half over HTTP. */
async function sendUntilDead(running: Running, sender: Person, groupId: string, index: number, round: number, sent: Sent[]): Promise<void> {
	// The process may die before the socket is open.
	const socket = index % 2 === 0 ? await connect(running.url, sender.accessToken).catch(() => null) : undefined;
	if (socket === null) return;
	for (let n = 0; ; n++) {
		const entry: Sent = { sender, clientId: `r${round}-${n}`, seq: null };
		sent.push(entry);
		try {
			const message = { clientId: entry.clientId, kind: "text", content: `round ${round} message ${n}` };
			if (socket) {
				entry.seq = (await say(socket, "message:send", { groupId, ...message })).seq;
			} else {
				const reply = await sender.post(`/api/groups/${groupId}/messages`, message);
				if (reply.status >= 500) continue;
				assert.equal(reply.status, 201);
				entry.seq = reply.body.seq;
			}
		} catch (error) {
			if (error instanceof assert.AssertionError) throw error;
			socket?.disconnect();
			return;
		}
	}
}

test(`over ${ROUNDS} kills at random instants, every acknowledged message is stored once, in order, without a gap, and its XP is paid once`, {
	timeout: 600_000,
}, async () => {
	let running = await startProcess(data.path);
	const people = await Promise.all(Array.from({ length: SENDERS }, (_, n) => person(running.url, `Sender ${n}`)));
	const [first, ...others] = people as [Person, ...Person[]];
	const groupId = (await first.post("/api/groups", { name: "Storm", isPublic: true })).body.id;
	for (const other of others) assert.equal((await other.post(`/api/groups/${groupId}/join`)).status, 200);

	const sent: Sent[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const sending = people.map((sender, index) => sendUntilDead(running, sender, groupId, index, round, sent));
		const instant = randomInt(20, 700);
		await new Promise((resolve) => setTimeout(resolve, instant));
		assert.equal(await running.end("SIGKILL"), "SIGKILL");
		await Promise.all(sending);
		running = await startProcess(data.path);
		// What nobody knows about is sent again under its own id: it must become one message, not two.
		for (const entry of sent.filter((candidate) => candidate.seq === null)) {
			const reply = await entry.sender.post(`/api/groups/${groupId}/messages`, {
				clientId: entry.clientId,
				kind: "text",
				content: "again",
			});
			assert.ok(reply.status === 200 || reply.status === 201);
			entry.seq = reply.body.seq;
		}
	}

	const log: { seq: number; type: string; by: { profileId: string }; message?: { clientId: string } }[] = [];
	for (;;) {
		const page = await http(running.url, `/api/groups/${groupId}/events?after=${log.length}&limit=500`, { token: first.accessToken });
		assert.equal(page.status, 200);
		log.push(...page.body.data);
		if (page.body.data.length === 0) {
			assert.equal(page.body.head, log.length);
			break;
		}
	}
	assert.deepEqual(
		log.map((event) => event.seq),
		log.map((_, index) => index + 1),
	);
	const stored = new Map(
		log.filter((event) => event.type === "message").map((event) => [`${event.by.profileId} ${event.message?.clientId}`, event.seq]),
	);
	assert.equal(stored.size, log.filter((event) => event.type === "message").length, "a message is there twice");
	for (const { sender, clientId, seq } of sent) assert.equal(stored.get(`${sender.profileId} ${clientId}`), seq);
	assert.equal(stored.size, sent.length);

	for (const sender of people) {
		await eventually(
			async () => assert.deepEqual((await sender.get("/api/gamification/points/me")).body, { xp: 100, level: 4, points: 0, coins: 0 }),
			60_000,
		);
	}
	await running.end();
});
