// Many disconnects while others write: every client's log is the server's log.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, test } from "node:test";
import type { Socket } from "socket.io-client";
import type { Person } from "../../support/client.ts";
import { connect, person, say } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import type { Running } from "../../support/process.ts";
import { dataDirectory, startProcess } from "../../support/process.ts";

const DISCONNECTS = 200;
const READERS = 10;
const SENDERS = 5;

let data: Awaited<ReturnType<typeof dataDirectory>>;
let running: Running;
before(async () => {
	data = await dataDirectory();
	running = await startProcess(data.path);
});
after(async () => {
	await running.end();
	await data.remove();
});

interface LogEvent {
	seq: number;
}

interface Answer {
	events: LogEvent[];
	more?: true;
	error?: unknown;
}

/** A client that keeps its own copy of a room's log, resumes after each disconnect, and counts. */
class Reader {
	readonly log: LogEvent[] = [];
	readonly #person: Person;
	readonly #room: string;
	#socket: Socket | undefined;

	constructor(owner: Person, room: string) {
		this.#person = owner;
		this.#room = room;
	}

	async open(): Promise<void> {
		const socket = await connect(running.url, this.#person.accessToken);
		this.#socket = socket;
		socket.on("events", (frame: { room: string; events: LogEvent[] }) => {
			if (frame.room === this.#room) this.#take(frame.events);
		});
		socket.on("pull", () => void this.#resume(socket).catch(() => {}));
		await this.#resume(socket);
	}

	/** Asks until it has caught up. The answer is taken in the acknowledgement itself: live frames come right behind it. */
	#resume(socket: Socket): Promise<void> {
		return new Promise((resolve, reject) => {
			socket.once("disconnect", () => reject(new Error("the socket was closed before the acknowledgement")));
			const ask = () =>
				socket.emit("resume", { rooms: { [this.#room]: this.log.length } }, (error: unknown, result: { rooms: Record<string, Answer> }) => {
					const answer = result?.rooms[this.#room];
					if (!answer || answer.error) return reject(new Error(`resume was refused: ${JSON.stringify(error ?? answer?.error)}`));
					this.#take(answer.events);
					if (answer.more) ask();
					else resolve();
				});
			ask();
		});
	}

	/** Each event is the next one: never one twice, never one missing. */
	#take(events: LogEvent[]): void {
		for (const event of events) {
			assert.equal(event.seq, this.log.length + 1, `heard ${event.seq} after ${this.log.length}`);
			this.log.push(event);
		}
	}

	drop(): void {
		// Cut the wire, as a tunnel would: no goodbye.
		this.#socket?.io.engine.close();
		this.#socket?.disconnect();
	}

	close(): void {
		this.#socket?.disconnect();
	}
}

test(`with ${DISCONNECTS} forced disconnects while ${SENDERS} senders write, every client's log equals the server's`, {
	timeout: 300_000,
}, async () => {
	const senders = await Promise.all(Array.from({ length: SENDERS }, (_, n) => person(running.url, `Sender ${n}`)));
	const owners = await Promise.all(Array.from({ length: READERS }, (_, n) => person(running.url, `Reader ${n}`)));
	const [host] = senders as [Person];
	const groupId = (await host.post("/api/groups", { name: "Tunnel", isPublic: true })).body.id;
	for (const other of [...senders.slice(1), ...owners]) assert.equal((await other.post(`/api/groups/${groupId}/join`)).status, 200);

	const readers = owners.map((owner) => new Reader(owner, `group:${groupId}`));
	await Promise.all(readers.map((reader) => reader.open()));
	let disconnecting = true;
	const sending = senders.map(async (sender, index) => {
		const socket = await connect(running.url, sender.accessToken);
		let sent = 0;
		for (; disconnecting; sent++)
			await say(socket, "message:send", { groupId, clientId: `${index}-${sent}`, kind: "text", content: `message ${sent}` });
		socket.disconnect();
		return sent;
	});
	for (let n = 0; n < DISCONNECTS; n++) {
		const reader = readers[randomInt(READERS)] as Reader;
		reader.drop();
		await reader.open();
	}
	disconnecting = false;
	const sent = (await Promise.all(sending)).reduce((sum, count) => sum + count, 0);

	const log: LogEvent[] = [];
	for (;;) {
		const { body } = await host.get(`/api/groups/${groupId}/events?after=${log.length}&limit=500`);
		if (body.data.length === 0) break;
		log.push(...body.data);
	}
	assert.equal(log.length, 1 + SENDERS - 1 + READERS + sent);
	await eventually(() => {
		for (const reader of readers) assert.equal(reader.log.length, log.length);
	});
	for (const reader of readers) {
		assert.deepEqual(reader.log, log);
		reader.close();
	}
});
