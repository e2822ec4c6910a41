// The load of the chat benchmark, in a process of its own: holds the members' connections to a target, and for a round
// lets the senders send, each waiting for its acknowledgement.
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "../support/children.ts";
import { percentile } from "../support/figures.ts";
import type { Member } from "./member.ts";
import { openMember } from "./member.ts";

export interface Room {
	id: string;
	/** One token a member; the peer does not look at them. */
	tokens: string[];
}

export type ChatAsk =
	/** Members are shared out among the urls in turn. */
	| { kind: "open"; target: string; urls: string[]; rooms: Room[] }
	/** A sender begins a message `everyMs` after it began the last, or as soon as that was acknowledged. */
	| { kind: "round"; target: string; senders: number; textBytes: number; ms: number; everyMs?: number }
	| { kind: "close"; target: string };

export interface ChatRound {
	/** Message events received by all members, a second. */
	deliveries: number;
	/** Acknowledged messages a second. */
	messages: number;
	/** Waits for the acknowledgement, in ms. */
	p50: number;
	p99: number;
	/** This process's share of one core. */
	load: number;
	faults: string[];
}

interface Target {
	rooms: { id: string; members: Member[] }[];
}

const targets = new Map<string, Target>();
let round = 0;

async function open(urls: string[], room: Room): Promise<Target["rooms"][number]> {
	const members: Member[] = [];
	for (const token of room.tokens) {
		const member = await openMember(urls[members.length % urls.length] as string, token);
		const joined = await member.emit("group:join", { groupId: room.id });
		if (!joined.startsWith("[null")) throw new Error(`group:join was refused: ${joined}`);
		members.push(member);
	}
	return { id: room.id, members };
}

/** Sends until `until` (performance.now()), one message after the other's acknowledgement. */
async function sendOn(
	member: Member,
	groupId: string,
	name: string,
	content: string,
	until: number,
	everyMs: number,
	waits: number[],
): Promise<void> {
	for (let count = 0; ; count++) {
		const sent = performance.now();
		if (sent >= until) return;
		const answer = await member.emit("message:send", { groupId, clientId: `${name}-${count}`, kind: "text", content });
		if (!answer.startsWith("[null")) throw new Error(`message:send was refused: ${answer}`);
		waits.push(performance.now() - sent);
		const left = sent + everyMs - performance.now();
		if (left > 0) await pause(left);
	}
}

async function play({ rooms }: Target, senders: number, textBytes: number, length: number, everyMs = 0): Promise<ChatRound> {
	const members = rooms.flatMap((room) => room.members);
	const count = () => members.reduce((sum, member) => sum + member.received, 0);
	const content = "x".repeat(textBytes);
	const waits: number[] = [];
	const number = ++round;
	const before = count();
	const processor = process.cpuUsage();
	const began = performance.now();
	await Promise.all(
		rooms.flatMap((room, index) =>
			room.members
				.slice(0, senders / rooms.length)
				.map((member, sender) => sendOn(member, room.id, `${number}-${index}-${sender}`, content, began + length, everyMs, waits)),
		),
	);
	// The last messages are acknowledged before the last of them is delivered everywhere: those that come later do not count.
	const seconds = (performance.now() - began) / 1000;
	const { user, system } = process.cpuUsage(processor);
	const delivered = count() - before;
	return {
		deliveries: delivered / seconds,
		messages: waits.length / seconds,
		p50: percentile(waits, 0.5),
		p99: percentile(waits, 0.99),
		load: (user + system) / 1e6 / seconds,
		faults: [...new Set(members.flatMap((member) => member.faults.splice(0)))],
	};
}

serve<ChatAsk, ChatRound | null>(async (ask) => {
	switch (ask.kind) {
		case "open":
			targets.set(ask.target, { rooms: await Promise.all(ask.rooms.map((room) => open(ask.urls, room))) });
			return null;
		case "round":
			return play(targets.get(ask.target) as Target, ask.senders, ask.textBytes, ask.ms, ask.everyMs);
		case "close":
			for (const room of targets.get(ask.target)?.rooms ?? []) for (const member of room.members) member.close();
			targets.delete(ask.target);
			return null;
	}
});
