// A store of logs that can be held, refused and written to by somebody else, and mailboxes over it.
import type { ActorsOptions, Command, Committed, Decision } from "../../mixins/actor/command.ts";
import { Actors } from "../../mixins/actor/actors.ts";

export interface Log {
	head: number;
}
export type Words = Decision<string, unknown>;
export type Batch = Committed<Log, Words>[];

export class Fence extends Error {}

/** The logs as stored. A commit that would write a number twice is refused, and then nothing of it is stored. */
export class Store {
	logs = new Map<string, string[]>();
	commits: Batch[] = [];
	loads: string[] = [];
	/** Called before a commit is stored: may wait, or throw. */
	before: (batch: Batch) => void | Promise<void> = () => {};

	log(key: string): string[] {
		return this.logs.get(key) ?? [];
	}

	async load(key: string): Promise<Log> {
		this.loads.push(key);
		return { head: this.log(key).length };
	}

	async commit(batch: Batch): Promise<void> {
		this.commits.push(batch);
		await this.before(batch);
		if (batch.some(({ key, first }) => first !== this.log(key).length + 1)) throw new Fence();
		for (const { key, decisions } of batch) this.logs.set(key, [...this.log(key), ...decisions.flatMap((decision) => decision.events)]);
	}
}

export function actorsOver(store: Store, options: Partial<ActorsOptions<Log, Words>> = {}): Actors<Log, string, Words> {
	return new Actors<Log, string, Words>({
		load: (key) => store.load(key),
		head: (state) => state.head,
		commit: (batch) => store.commit(batch),
		committed: ({ state, decisions }) => ({ head: state.head + decisions.flatMap((decision) => decision.events).length }),
		isConflict: (error) => error instanceof Fence,
		...options,
	});
}

/** Appends words and answers the numbers they got. */
export const say = (...words: string[]): Command<Log, string, number[], Words & Decision<string, number[]>> => ({
	decide: () => ({ events: words, answer: (seqs) => seqs }),
});
export const alone = (...words: string[]) => ({ ...say(...words), alone: true });

/** A gate that commits wait at. */
export function gate() {
	const { promise, resolve } = Promise.withResolvers<void>();
	return { opened: promise, open: resolve };
}
