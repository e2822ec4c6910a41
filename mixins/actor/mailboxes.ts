// What is kept in memory: a mailbox for each actor that somebody asked for lately.
import { Mailbox } from "./mailbox.ts";

export class Mailboxes<State, D> {
	readonly #most: number;
	/** In the order of use. */
	readonly #boxes = new Map<string, Mailbox<State, D>>();

	/** @param most beyond it those go that were not used for longest, where nothing waits in them */
	constructor(most: number) {
		this.#most = most;
	}

	get size(): number {
		return this.#boxes.size;
	}

	/** One that is in memory, which is no use of it. */
	known(key: string): Mailbox<State, D> | undefined {
		return this.#boxes.get(key);
	}

	keys(): string[] {
		return [...this.#boxes.keys()];
	}

	/** The mailbox of a key, made where there is none: it was used last. */
	of(key: string): Mailbox<State, D> {
		let box = this.#boxes.get(key);
		if (box) {
			this.#boxes.delete(key);
		} else {
			box = new Mailbox(key);
			this.#makeRoom();
		}
		this.#boxes.set(key, box);
		return box;
	}

	#makeRoom(): void {
		if (this.#boxes.size < this.#most) return;
		for (const [key, box] of this.#boxes) {
			if (box.busy || box.queue.length > 0) continue;
			this.#boxes.delete(key);
			return;
		}
	}
}
