// Actors. An actor is the one place where all that concerns one key (a group) is decided: it has a mailbox, in which commands
// wait, and a state, read from the store when somebody first asks. Commands of one key run one after another, different keys side
// by side. A command is decided in memory, on the stored state, as events to append; what was decided in all free mailboxes is
// stored by one commit (group commit), and only then is anybody answered. So many messages cost one statement. The states are a
// copy that may be thrown away at any time: the store is the fence, it refuses what was decided on an older state, and then
// the actor reads it again and decides again.
//
// command.ts       what is asked and decided, and what whoever keeps actors says of theirs
// mailbox.ts       one actor: its queue, its state; deciding what waits
// mailboxes.ts     which actors are in memory
// lanes.ts         when a commit begins, and with whom
// group-commit.ts  one commit: decide, store, answer; what happens when it cannot be stored
// later.ts         what the world is told after it
import { problem } from "../../services/contracts/errors.ts";
import type { ActorsOptions, Command, Decision, Settled } from "./command.ts";
import { withDefaults } from "./command.ts";
import { GroupCommit } from "./group-commit.ts";
import { Lanes } from "./lanes.ts";
import { Mailboxes } from "./mailboxes.ts";

export class Actors<State, Event, D extends Decision<Event, unknown>> {
	readonly #options: Settled<State, D>;
	readonly #boxes: Mailboxes<State, D>;
	readonly #lanes: Lanes<State, D>;
	readonly #commits: GroupCommit<State, D>;

	constructor(options: ActorsOptions<State, D>) {
		this.#options = withDefaults(options);
		this.#boxes = new Mailboxes(this.#options.maxActors);
		this.#lanes = new Lanes(this.#options, (boxes) => this.#commits.run(boxes));
		this.#commits = new GroupCommit(this.#options, this.#lanes);
	}

	/**
	 * Runs a command for a key; resolved with its answer once it is stored. What has not had its turn by the `deadline`
	 * (performance.now()) is refused: its caller has given up, and doing it now would surprise everybody.
	 */
	submit<R>(key: string, command: Command<State, Event, R, D & Decision<Event, R>>, deadline = Number.POSITIVE_INFINITY): Promise<R> {
		const box = this.#boxes.of(key);
		if (box.queue.length >= this.#options.maxPerKey || this.#lanes.waiting >= this.#options.maxWaiting) {
			return Promise.reject(problem("mailbox-full", { retryAfter: 1 }));
		}
		return new Promise<R>((resolve, reject) => {
			box.queue.push({ command, resolve: resolve as (answer: unknown) => void, reject, tries: 0, deadline });
			this.#lanes.arrived(box);
		});
	}

	/** The stored state of an actor, loaded when it is not in memory. */
	async read(key: string): Promise<State> {
		if (!this.#options.keeps(key)) return this.#options.load(key);
		const box = this.#boxes.of(key);
		return box.state === undefined ? box.load(this.#options.load) : box.state;
	}

	/** Forgets what is in memory: the next command reads the store. */
	forget(key: string): void {
		this.#boxes.known(key)?.forget();
	}

	/** The same for all of them, or for those that are not ours to keep any more. */
	forgetAll(which: (key: string) => boolean = () => true): void {
		for (const key of this.#boxes.keys()) if (which(key)) this.forget(key);
	}

	/** Actors in memory. */
	get size(): number {
		return this.#boxes.size;
	}

	/** How many actors are in memory, and how many commands wait. For operators. */
	get load(): { actors: number; waiting: number } {
		return { actors: this.#boxes.size, waiting: this.#lanes.waiting };
	}

	/** What is in memory of one, for operators; it is not loaded for that. */
	look(key: string): { loaded: boolean; head: number | null; waiting: number; busy: boolean } | null {
		const box = this.#boxes.known(key);
		if (!box) return null;
		const { state, queue, busy } = box;
		return { loaded: state !== undefined, head: state === undefined ? null : this.#options.head(state), waiting: queue.length, busy };
	}

	/** Resolved when every command taken so far is answered, and told. */
	async drained(): Promise<void> {
		await this.#lanes.drained();
		this.#commits.tell();
	}
}
