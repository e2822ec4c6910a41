// The sockets of the crowd benchmark: everybody follows the presence of one group, and after their gateway has died everybody comes
// back and asks again. What each of them is told is counted.
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "../support/children.ts";
import { eachOf } from "../support/people.ts";
import type { Member } from "./member.ts";
import { openMember } from "./member.ts";

export type CrowdAsk =
	| { kind: "open"; url: string; tokens: string[]; groupId: string }
	/** All come back, each after 0.5 to 1.5 s, as stock clients do; answered `settleMs` after the last one. */
	| { kind: "storm"; url: string; groupId: string; settleMs: number }
	| { kind: "close" };

export interface CrowdResult {
	/** From the beginning until the last one had its answer, in ms. */
	last: number;
	/** Signals and bytes of them, the most that one socket was told. */
	signals: number;
	bytes: number;
	/** Bytes of the answers, on average. */
	answerBytes: number;
}

const WIDTH = 64;
const RETRY_MS = 1_000;
let places: { token: string; member: Member; answerBytes: number }[] = [];

async function follow(url: string, token: string, groupId: string): Promise<(typeof places)[number]> {
	const member = await openMember(url, token);
	const answer = await member.emit("presence:subscribe", { groupId });
	if (!answer.startsWith("[null")) throw new Error(`presence:subscribe was refused: ${answer}`);
	return { token, member, answerBytes: answer.length };
}

async function comeBack(url: string, token: string, groupId: string): Promise<(typeof places)[number]> {
	await pause(500 + Math.random() * 1_000);
	for (;;) {
		try {
			return await follow(url, token, groupId);
		} catch {
			await pause(RETRY_MS * (0.5 + Math.random()));
		}
	}
}

serve<CrowdAsk, CrowdResult | null>(async (ask) => {
	switch (ask.kind) {
		case "open":
			places = await eachOf(ask.tokens, WIDTH, (token) => follow(ask.url, token, ask.groupId));
			return null;
		case "storm": {
			const began = performance.now();
			places = await Promise.all(places.map(({ token }) => comeBack(ask.url, token, ask.groupId)));
			const last = performance.now() - began;
			await pause(ask.settleMs);
			return {
				last,
				signals: Math.max(...places.map(({ member }) => member.signals)),
				bytes: Math.max(...places.map(({ member }) => member.signalBytes)),
				answerBytes: Math.round(places.reduce((sum, { answerBytes }) => sum + answerBytes, 0) / places.length),
			};
		}
		case "close":
			for (const { member } of places) member.close();
			places = [];
			return null;
	}
});
