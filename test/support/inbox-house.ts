// Inboxes on a real database, and a consumer that fails when told to: what tests of the engine are told with.
import { after, beforeEach, mock } from "node:test";
import type { Consumer } from "../../mixins/facts/index.ts";
import type { DeadLetter } from "../../mixins/facts/inbox.ts";
import { deadLetters } from "../../mixins/facts/inbox.ts";
import { database } from "../../mixins/postgres.ts";
import { testDatabase } from "./database.ts";
import { HEARER, TELLER, carry, forgetEverything, hearing, makeEffects, numberOf, tell, work } from "./facts.ts";

export const NOON = Date.parse("2026-03-01T12:00:00Z");

/** The inboxes of one node, for a whole file: each test begins with nothing told and nothing heard, at noon, and the clock stands. */
export async function inboxHouse() {
	const fresh = await testDatabase([TELLER, HEARER]);
	const db = database(HEARER);
	await makeEffects(db);
	after(() => fresh.close());
	beforeEach(async () => {
		mock.timers.reset();
		mock.timers.enable({ apis: ["Date"], now: NOON });
		await forgetEverything();
	});
	const dead = async () => (await deadLetters(db)).map(({ aggregate, tries }: DeadLetter) => ({ aggregate, tries }));
	return { db, dead, urlFor: fresh.urlFor };
}

/** Turns the clock. */
export const later = (ms: number) => mock.timers.setTime(Date.now() + ms);

/** Brings facts into the inbox of one consumer. */
export async function given(name: string, consumer: Consumer, ...groups: [group: string, from: number, to?: number][]): Promise<void> {
	for (const [group, from, to] of groups) await tell(group, from, to);
	await carry({ [name]: consumer });
}

/** Works until nothing is ready now. */
export async function workAll(name: string, consumer: Consumer): Promise<number | null> {
	for (;;) {
		const { next } = await work(name, consumer);
		if (next !== 0) return next;
	}
}

/** A consumer that fails at these facts, such as "a 2", until they are taken from the set. */
export function failing(name: string, at: Set<string>, options: Partial<Consumer> = {}): Consumer {
	return hearing(name, {
		backoff: 1_000,
		...options,
		before: (facts) => {
			const bad = facts.find((fact) => at.has(`${fact.aggregate} ${numberOf(fact)}`));
			if (bad) throw new Error(`cannot take ${bad.aggregate} ${numberOf(bad)}`);
		},
	});
}
