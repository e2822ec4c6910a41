// When a commit begins, and with which mailboxes: as soon as a lane is free, with all that wait and are free themselves. What
// arrives in the same turn of the event loop goes together, and so does what those say who were answered a moment ago.
import type { Settled } from "./command.ts";
import type { Mailbox } from "./mailbox.ts";

export class Lanes<State, D> {
	readonly #options: Pick<Settled<State, D>, "lanes" | "gather" | "keeps">;
	readonly #commit: (boxes: Mailbox<State, D>[]) => Promise<void>;
	/** Mailboxes in which something waits, and no commit is under way. */
	readonly #ready = new Set<Mailbox<State, D>>();
	#waiting = 0;
	#inFlight = 0;
	#scheduled = false;
	/** How many were waiting when the last commit was answered, and until when (performance.now()) they are waited for. */
	#expected = 0;
	#gatherUntil = 0;
	#gathering: NodeJS.Timeout | undefined;
	#idle: (() => void)[] = [];

	constructor(options: Pick<Settled<State, D>, "lanes" | "gather" | "keeps">, commit: (boxes: Mailbox<State, D>[]) => Promise<void>) {
		this.#options = options;
		this.#commit = commit;
	}

	/** Commands without an answer. */
	get waiting(): number {
		return this.#waiting;
	}

	/** A command was put into a mailbox. */
	arrived(box: Mailbox<State, D>): void {
		this.#waiting++;
		this.#wake(box);
	}

	/** Answers one command. */
	readonly settle = (answer: () => void): void => {
		this.#waiting--;
		answer();
	};

	/** Those whose commands were just stored are about to be answered: who of them talks on is waited for. */
	stored(): void {
		this.#expected = this.#waiting;
		this.#gatherUntil = performance.now() + this.#options.gather;
	}

	/** Resolved when every command taken so far is answered. */
	async drained(): Promise<void> {
		if (this.#waiting > 0 || this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
	}

	#wake(box: Mailbox<State, D>): void {
		if (!box.busy && box.queue.length > 0) this.#ready.add(box);
		if (this.#scheduled || this.#ready.size === 0 || this.#inFlight >= this.#options.lanes) return;
		if (this.#waiting < this.#expected) {
			const left = this.#gatherUntil - performance.now();
			if (left > 0) {
				this.#gathering ??= setTimeout(() => this.#schedule(), left);
				return;
			}
		}
		this.#schedule();
	}

	#schedule(): void {
		clearTimeout(this.#gathering);
		this.#gathering = undefined;
		if (this.#scheduled) return;
		this.#scheduled = true;
		setImmediate(() => {
			this.#scheduled = false;
			if (this.#ready.size > 0 && this.#inFlight < this.#options.lanes) void this.#turn();
		});
	}

	async #turn(): Promise<void> {
		const boxes = this.#take();
		this.#inFlight++;
		try {
			await this.#commit(boxes);
		} finally {
			this.#inFlight--;
			for (const box of boxes) {
				box.release(this.#options.keeps(box.key));
				this.#wake(box);
			}
			for (const box of this.#ready) this.#wake(box);
			if (this.#waiting === 0 && this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
		}
	}

	/** Every mailbox that is free; one whose last commit failed goes alone. */
	#take(): Mailbox<State, D>[] {
		const isolated = [...this.#ready].find((box) => box.isolated);
		const boxes = isolated ? [isolated] : [...this.#ready];
		for (const box of boxes) {
			this.#ready.delete(box);
			box.busy = true;
			box.isolated = false;
		}
		return boxes;
	}
}
