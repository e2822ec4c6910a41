// People who post, edit, delete and react at random, by whatever door answers, while readers lose their connections: at the end every
// reader's own copy of the log says the same as the server, event by event and message by message.
import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import type { Person } from "./client.ts";
import { connect, http, is, person, say } from "./client.ts";
import { eventually } from "./eventually.ts";
import type { FoldedMessage, RoomEvent } from "./room-reader.ts";
import { foldedMessages, RoomReader } from "./room-reader.ts";

interface Shown {
	seq: number;
	content: string | null;
	reactions: { emoji: string; count: number }[];
}

const EMOJI = ["👍", "❤️", "🇵🇹"];
const TALKERS = 4;
const READERS = 6;

export interface Doors {
	/** Base URLs of the HTTP doors, and of the socket doors. */
	http: readonly string[];
	sockets: readonly string[];
	disconnects: number;
	/** What else goes wrong meanwhile. */
	faults?: () => Promise<void>;
}

const pick = <T>(all: readonly T[]): T => all[randomInt(all.length)] as T;

/** Refusals that are an answer: what it was about has been deleted meanwhile, or is somebody else's. */
const isAnswer = (problem: { status?: number } | undefined): boolean => [403, 404, 409, 422].includes(problem?.status ?? 0);

/** Says something until it has an answer, each time to another door. */
async function insist(doors: Doors, who: Person, event: string, payload: object): Promise<{ seq: number } | undefined> {
	return eventually(async () => {
		const socket = await connect(pick(doors.sockets), who.accessToken);
		try {
			return await say(socket, event, payload);
		} catch (error) {
			if (isAnswer((error as { problem?: { status?: number } }).problem)) return undefined;
			throw error;
		} finally {
			socket.close();
		}
	});
}

async function talk(doors: Doors, who: Person, groupId: string, said: number[], goesOn: () => boolean): Promise<void> {
	for (let n = 0; goesOn(); n++) {
		const seq = said.length === 0 ? 1 : pick(said);
		const deed = randomInt(10);
		if (said.length < 5 || deed < 4) {
			const reply = said.length > 5 && deed === 0 ? { replyTo: seq } : {};
			const posted = await insist(doors, who, "message:send", {
				groupId,
				clientId: randomUUID(),
				content: `${who.displayName} ${n}`,
				...reply,
			});
			if (posted) said.push(posted.seq);
		} else if (deed < 6) await insist(doors, who, "message:edit", { groupId, seq, content: `${who.displayName} ${n}, edited` });
		else if (deed < 7) await insist(doors, who, "message:delete", { groupId, seq });
		else await insist(doors, who, "message:react", { groupId, seq, emoji: pick(EMOJI), remove: deed === 9 });
	}
}

const asked = async (doors: Doors, who: Person, path: string) => {
	const { body } = await eventually(async () => is(await http(pick(doors.http), path, { token: who.accessToken }), 200));
	return body;
};

/** The log as the HTTP door has it. */
async function logOf(doors: Doors, who: Person, groupId: string): Promise<RoomEvent[]> {
	const log: RoomEvent[] = [];
	for (;;) {
		const { data, head } = await asked(doors, who, `/api/groups/${groupId}/events?after=${log.length}&limit=500`);
		log.push(...data);
		if (log.length >= head) return log;
	}
}

/** The messages as they are now. */
async function messagesOf(doors: Doors, who: Person, groupId: string): Promise<FoldedMessage[]> {
	const messages: FoldedMessage[] = [];
	for (let cursor: string | null = ""; cursor !== null; ) {
		const page: { data: Shown[]; nextCursor: string | null } = await asked(
			doors,
			who,
			`/api/groups/${groupId}/messages?limit=100&${cursor ? `cursor=${cursor}` : "after=0"}`,
		);
		for (const { seq, content, reactions } of page.data)
			messages.push({ seq, content, reactions: Object.fromEntries(reactions.map(({ emoji, count }) => [emoji, count] as const).sort()) });
		cursor = page.nextCursor;
	}
	return messages;
}

export async function talkers(doors: Doors): Promise<void> {
	const [door] = doors.http as [string];
	const people = await Promise.all(Array.from({ length: TALKERS }, (_, n) => person(door, `Talker ${n}`)));
	const owners = await Promise.all(Array.from({ length: READERS }, (_, n) => person(door, `Reader ${n}`)));
	const [host] = people as [Person];
	const groupId = is(await host.post("/api/groups", { name: "Tunnel", isPublic: true }), 201).body.id;
	for (const other of [...people.slice(1), ...owners]) is(await other.post(`/api/groups/${groupId}/join`), 200);
	const readers = owners.map((owner) => new RoomReader(owner, `group:${groupId}`, doors.sockets));
	await Promise.all(readers.map((reader) => reader.open()));
	let goesOn = true;
	const said: number[] = [];
	const talking = people.map((who) => talk(doors, who, groupId, said, () => goesOn));
	const cutting = (async () => {
		for (let n = 0; n < doors.disconnects; n++) {
			const reader = pick(readers);
			reader.drop();
			await reader.open();
		}
	})();
	await Promise.all([cutting, doors.faults?.()]);
	goesOn = false;
	await Promise.all(talking);

	const log = await logOf(doors, host, groupId);
	assert.deepEqual(
		log.map(({ seq }) => seq),
		log.map((_, index) => index + 1),
	);
	const messages = await messagesOf(doors, host, groupId);
	assert.deepEqual(foldedMessages(log), messages, "the log says what the messages are");
	for (const reader of readers) {
		if (!reader.isOpen) await reader.open();
		await eventually(() => assert.equal(reader.log.length, log.length));
		reader.close();
		assert.deepEqual(reader.faults, []);
		const outline = (events: RoomEvent[]) => events.map(({ seq, type, target }) => [seq, type, target]);
		assert.deepEqual(outline(reader.log), outline(log));
		assert.deepEqual(foldedMessages(reader.log), messages, "so does what a reader has heard");
	}
	for (const type of ["message", "edited", "deleted", "reacted"])
		assert.ok(
			log.some((event) => event.type === type),
			`nothing was ${type}`,
		);
}
