// One actor's mailbox: the commands that wait for it, and its state, as far as that is known here.
import { problem } from "../../services/contracts/errors.ts";
import type { Committed, Decision } from "./command.ts";

/** A command that waits, and whoever waits for its answer. */
export interface Waiting<State, D> {
	command: { decide: (state: State, ahead: number) => D | Promise<D>; alone?: boolean };
	resolve: (answer: unknown) => void;
	reject: (error: unknown) => void;
	/** How often it was decided and not stored. */
	tries: number;
	/** From then on (performance.now()) nobody waits for it any more. */
	deadline: number;
}

/** What a mailbox adds to a commit: what was decided, and for whom, in the same order. */
export interface Share<State, D> {
	box: Mailbox<State, D>;
	entry: Committed<State, D>;
	callers: Waiting<State, D>[];
}

export class Mailbox<State, D> {
	readonly key: string;
	readonly queue: Waiting<State, D>[] = [];
	/** A commit of its commands is under way. */
	busy = false;
	/** Its last commit failed: the next one is its own, so that it takes no neighbour with it. */
	isolated = false;
	#state: State | undefined;
	/** Counts the changes of the state: what was read from the store before the last one is out of date. */
	#version = 0;
	/** To be forgotten when the commit under way is done. */
	#forgotten = false;

	constructor(key: string) {
		this.key = key;
	}

	/** Undefined where it has to be read from the store. */
	get state(): State | undefined {
		return this.#state;
	}

	set(state: State | undefined): void {
		this.#state = state;
		this.#version++;
	}

	forget(): void {
		this.set(undefined);
		// The commit under way began on what is to be forgotten, and would bring it back.
		if (this.busy) this.#forgotten = true;
	}

	/** The commit is over. */
	release(keeps: boolean): void {
		this.busy = false;
		if (!this.#forgotten && keeps) return;
		this.#forgotten = false;
		this.set(undefined);
	}

	async load(read: (key: string) => Promise<State>): Promise<State> {
		for (;;) {
			const version = this.#version;
			const state = await read(this.key);
			// While the read was under way somebody may have brought a newer state, or found out that there is one.
			if (this.#version === version) this.set(state);
			if (this.#state !== undefined) return this.#state;
		}
	}
}

/** Decides what waits in a mailbox whose state is known, up to a command that must be alone; who is refused is `settled`. */
export async function decide<State, D extends Decision<unknown, unknown>>(
	box: Mailbox<State, D>,
	state: State,
	head: number,
	settled: (answer: () => void) => void,
): Promise<Share<State, D>> {
	const decisions: D[] = [];
	const callers: Waiting<State, D>[] = [];
	let ahead = 0;
	for (let waiting = box.queue[0]; waiting; waiting = box.queue[0]) {
		const { command, deadline, reject } = waiting;
		if (command.alone && callers.length > 0) break;
		box.queue.shift();
		if (performance.now() > deadline) {
			settled(() => reject(problem("unavailable", { retryAfter: 1 })));
			continue;
		}
		let decision: D;
		try {
			const made = command.decide(state, ahead);
			decision = made instanceof Promise ? await made : made;
		} catch (error) {
			settled(() => reject(error));
			continue;
		}
		callers.push(waiting);
		decisions.push(decision);
		ahead += decision.events.length;
		if (command.alone) break;
	}
	return { box, callers, entry: { key: box.key, state, first: head + 1, decisions } };
}
