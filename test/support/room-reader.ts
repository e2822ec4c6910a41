// A client that keeps its own copy of a room's log, resumes after each disconnect wherever it gets in, and counts: each event is the next one.
import type { Socket } from "socket.io-client";
import type { Person } from "./client.ts";
import { connect } from "./client.ts";
import { eventually } from "./eventually.ts";

export interface RoomEvent {
	seq: number;
	type: string;
	target?: number;
	content?: string | null;
	emoji?: string;
	profileId?: string;
	added?: boolean;
	message?: { content: string | null };
}
interface Answer {
	events: RoomEvent[];
	more?: true;
	error?: unknown;
}

export interface FoldedMessage {
	seq: number;
	content: string | null;
	/** How many people, by emoji. */
	reactions: Record<string, number>;
}

/** What the log makes of its messages. */
export function foldedMessages(events: readonly RoomEvent[]): FoldedMessage[] {
	const messages = new Map<number, { content: string | null; people: Map<string, Set<string>> }>();
	for (const { seq, type, target = 0, content = null, emoji = "", profileId = "", added, message } of events) {
		const known = messages.get(target);
		if (type === "message" && message) messages.set(seq, { content: message.content, people: new Map() });
		else if (type === "edited" && known) known.content = content;
		else if (type === "deleted") messages.set(target, { content: null, people: new Map() });
		else if (type === "reacted" && known) {
			const people = known.people.get(emoji) ?? new Set();
			if (added) people.add(profileId);
			else people.delete(profileId);
			known.people.set(emoji, people);
		}
	}
	return [...messages].map(([seq, { content, people }]) => ({
		...{ seq, content },
		reactions: Object.fromEntries([...people].flatMap(([emoji, { size }]) => (size > 0 ? [[emoji, size] as const] : [])).sort()),
	}));
}

export class RoomReader {
	readonly log: RoomEvent[] = [];
	/** What it heard that it should not have: one event twice, or one before another that is missing. */
	readonly faults: string[] = [];
	readonly #person: Person;
	readonly #room: string;
	readonly #gateways: readonly string[];
	#socket: Socket | undefined;
	#tries = 0;

	constructor(owner: Person, room: string, gateways: readonly string[]) {
		this.#person = owner;
		this.#room = room;
		this.#gateways = gateways;
	}

	/** Gets in by whatever gateway answers, and catches up. */
	open(): Promise<void> {
		return eventually(async () => {
			this.close();
			const url = this.#gateways[this.#tries++ % this.#gateways.length] as string;
			const socket = await connect(url, this.#person.accessToken);
			this.#socket = socket;
			socket.on("events", (frame: { room: string; events: RoomEvent[] }) => {
				if (frame.room === this.#room && socket === this.#socket) this.#take(frame.events);
			});
			socket.on("pull", () => void this.#resume(socket).catch(() => {}));
			await this.#resume(socket);
		});
	}

	/** Whether it is connected. */
	get isOpen(): boolean {
		return this.#socket?.connected === true;
	}

	/** The answer is taken in the acknowledgement itself: live frames come right behind it. */
	#resume(socket: Socket): Promise<void> {
		return new Promise((resolve, reject) => {
			socket.once("disconnect", () => reject(new Error("the socket was closed before the acknowledgement")));
			const ask = () =>
				socket.emit("resume", { rooms: { [this.#room]: this.log.length } }, (error: unknown, result: { rooms: Record<string, Answer> }) => {
					const answer = result?.rooms[this.#room];
					if (socket !== this.#socket) return reject(new Error("another socket has taken over"));
					if (!answer || answer.error) return reject(new Error(`resume was refused: ${JSON.stringify(error ?? answer?.error)}`));
					this.#take(answer.events);
					if (answer.more) ask();
					else resolve();
				});
			ask();
		});
	}

	#take(events: RoomEvent[]): void {
		for (const event of events) {
			if (event.seq !== this.log.length + 1) this.faults.push(`heard ${event.seq} after ${this.log.length}`);
			else this.log.push(event);
		}
	}

	/** Cuts the wire, as a tunnel would: no goodbye. */
	drop(): void {
		this.#socket?.io.engine.close();
		this.close();
	}

	close(): void {
		this.#socket?.disconnect();
	}
}
