// Actors: one mailbox per key. Commands for one key run one after another, different keys side by side, and what
// waits together is committed together. The store is the fence: an actor that lost its place reloads and tries again.
import { problem } from "../../services/contracts/errors.ts";

/** What a command decided: how the log goes on, what else is written with it, and what its caller hears. */
export interface Decision<Event, R> {
	/** Appended in order; numbers are given by the mailbox. */
	events: Event[];
	/** The answer, once everything is stored. Gets the numbers that the events were given. */
	answer: (seqs: number[]) => R;
}

export interface Command<State, Event, R, D extends Decision<Event, R> = Decision<Event, R>> {
	/** Decides on the state as stored, plus `ahead` events that wait in the same commit. Throws a problem to refuse. */
	decide: (state: State, ahead: number) => D | Promise<D>;
	/**
	 * Changes the state, or needs a look into the store: it is decided on nothing but stored state, so it runs in a
	 * commit of its own. Commands that only append (messages) are committed together.
	 */
	alone?: boolean;
}

export interface Committed<State, D> {
	key: string;
	state: State;
	/** The seq that the first event of the first decision gets. */
	first: number;
	decisions: D[];
}

export interface ActorsOptions<State, D> {
	/** Reads an actor's state from the store. */
	load: (key: string) => Promise<State>;
	head: (state: State) => number;
	/** Stores all of it in one transaction, or nothing. */
	commit: (batch: Committed<State, D>[]) => Promise<void>;
	/** What cannot be stored together: each portion is a commit of its own, and fails alone. Default: all in one. */
	portions?: (batch: Committed<State, D>[]) => Committed<State, D>[][];
	/**
	 * After the commit, in order per key: brings the state up to date. Answers the new state; null forgets the actor. What it
	 * gives to `later` runs in order, at most a moment later: when the callers have their answers and the next commit is on
	 * its way, so that telling the world and storing what follows go side by side.
	 */
	committed: (entry: Committed<State, D>, later: (tell: () => void) => void) => State | null;
	/** The commit failed because somebody else wrote first: reload and decide again. */
	isConflict: (error: unknown) => boolean;
	/** The store did not answer: nobody knows whether the commit took place, and asking again at once helps nobody. */
	isAway?: (error: unknown) => boolean;
	/** A decision that cannot be stored because it is already there: answers what was stored then, or undefined. */
	replay?: (key: string, decision: D) => Promise<unknown>;
	/** Most commands that may wait for one key, and in all; beyond that: 503 with Retry-After. */
	maxPerKey?: number;
	maxWaiting?: number;
	/** Actors kept in memory. */
	maxActors?: number;
	/**
	 * May what is known of a key stay in memory when nobody works on it? Not where another process may write it: then each
	 * command and each read begins with the store. Default: always.
	 */
	keeps?: (key: string) => boolean;
	/** Commits under way at once. One more than one keeps the store busy while answers go out. */
	lanes?: number;
	/**
	 * After a commit, wait at most so long (ms) for those who were just answered: whoever talks on says the next thing at
	 * once, and one commit, one frame to each listener, is had for half of two. Nobody waits where nobody was answered lately.
	 */
	gather?: number;
	/** Hears what `committed` threw. Default: a warning of the process. */
	onError?: (error: unknown) => void;
}

interface Waiting<State, D> {
	command: Command<State, unknown, unknown, never>;
	resolve: (value: unknown) => void;
	reject: (error: unknown) => void;
	tries: number;
	/** From then on (performance.now()) nobody waits for it any more. */
	deadline: number;
	decision?: D;
}

interface Mailbox<State, D> {
	key: string;
	state: State | undefined;
	/** Counts the changes of `state`: what was read from the store before the last one is out of date. */
	version: number;
	queue: Waiting<State, D>[];
	busy: boolean;
	/** To be forgotten when the commit under way is done. */
	forgotten: boolean;
	/** Its last commit failed: the next one is its own, so that it takes no neighbour with it. */
	isolated: boolean;
}

const MAX_TRIES = 5;
/** What is to be told waits at most so long (ms) for the next commit to be on its way. */
const TELL_WITHIN = 1;

export class Actors<State, Event, D extends Decision<Event, unknown>> {
	readonly #options: Required<Omit<ActorsOptions<State, D>, "replay">> & Pick<ActorsOptions<State, D>, "replay">;
	readonly #boxes = new Map<string, Mailbox<State, D>>();
	readonly #ready = new Set<Mailbox<State, D>>();
	#waiting = 0;
	#inFlight = 0;
	#scheduled = false;
	/** How many were waiting when the last commit was answered, and until when (performance.now()) they are waited for. */
	#expected = 0;
	#gatherUntil = 0;
	#gathering: NodeJS.Timeout | undefined;
	#idle: (() => void)[] = [];
	#toTell: (() => void)[] = [];
	#telling: NodeJS.Timeout | undefined;

	constructor(options: ActorsOptions<State, D>) {
		this.#options = {
			maxPerKey: 2_000,
			maxWaiting: 20_000,
			maxActors: 10_000,
			lanes: 2,
			isAway: () => false,
			portions: (batch) => (batch.length > 0 ? [batch] : []),
			gather: 1,
			keeps: () => true,
			onError: (error) => process.emitWarning(error instanceof Error ? error : String(error)),
			...options,
		};
	}

	/**
	 * Runs a command for a key; resolved with its answer once it is stored. What has not had its turn by the `deadline`
	 * (performance.now()) is refused: its caller has given up, and doing it now would surprise everybody.
	 */
	submit<R>(key: string, command: Command<State, Event, R, D & Decision<Event, R>>, deadline = Number.POSITIVE_INFINITY): Promise<R> {
		const box = this.#box(key);
		if (box.queue.length >= this.#options.maxPerKey || this.#waiting >= this.#options.maxWaiting) {
			return Promise.reject(problem("mailbox-full", { retryAfter: 1 }));
		}
		return new Promise<R>((resolve, reject) => {
			box.queue.push({
				command: command as unknown as Waiting<State, D>["command"],
				resolve: resolve as (value: unknown) => void,
				reject,
				tries: 0,
				deadline,
			});
			this.#waiting++;
			this.#wake(box);
		});
	}

	/** The stored state of an actor, loaded when it is not in memory. */
	async read(key: string): Promise<State> {
		if (!this.#options.keeps(key)) return this.#options.load(key);
		const box = this.#box(key);
		return box.state === undefined ? this.#load(box) : box.state;
	}

	/** Forgets what is in memory: the next command reads the store. */
	forget(key: string): void {
		const box = this.#boxes.get(key);
		if (!box) return;
		this.#set(box, undefined);
		// The commit under way began on what is to be forgotten, and would bring it back.
		if (box.busy) box.forgotten = true;
	}

	/** Actors in memory. */
	get size(): number {
		return this.#boxes.size;
	}

	/** What is in memory of one, for operators; it is not loaded for that. */
	look(key: string): { loaded: boolean; head: number | null; waiting: number; busy: boolean } | null {
		const box = this.#boxes.get(key);
		if (!box) return null;
		const { state, queue, busy } = box;
		return { loaded: state !== undefined, head: state === undefined ? null : this.#options.head(state), waiting: queue.length, busy };
	}

	/** The same for all of them, or for those that are not ours to keep any more. */
	forgetAll(which: (key: string) => boolean = () => true): void {
		for (const key of [...this.#boxes.keys()]) if (which(key)) this.forget(key);
	}

	/** What is in memory: how many actors, and how many commands wait. For operators. */
	get load(): { actors: number; waiting: number } {
		return { actors: this.#boxes.size, waiting: this.#waiting };
	}

	/** Resolved when every command taken so far is answered, and told. */
	async drained(): Promise<void> {
		if (this.#waiting > 0 || this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
		this.#tell();
	}

	#box(key: string): Mailbox<State, D> {
		let box = this.#boxes.get(key);
		if (box) {
			this.#boxes.delete(key);
		} else {
			box = { key, state: undefined, version: 0, queue: [], busy: false, forgotten: false, isolated: false };
			this.#makeRoom();
		}
		this.#boxes.set(key, box);
		return box;
	}

	#makeRoom(): void {
		if (this.#boxes.size < this.#options.maxActors) return;
		for (const [key, box] of this.#boxes) {
			if (box.busy || box.queue.length > 0) continue;
			this.#boxes.delete(key);
			return;
		}
	}

	async #load(box: Mailbox<State, D>): Promise<State> {
		for (;;) {
			const { version } = box;
			const state = await this.#options.load(box.key);
			// While the read was under way somebody may have brought a newer state, or found out that there is one.
			if (box.version === version) this.#set(box, state);
			if (box.state !== undefined) return box.state;
		}
	}

	#set(box: Mailbox<State, D>, state: State | undefined): void {
		box.state = state;
		box.version++;
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
		// What arrives in the same turn of the event loop is committed together.
		setImmediate(() => {
			this.#scheduled = false;
			if (this.#ready.size > 0 && this.#inFlight < this.#options.lanes) void this.#turn();
		});
	}

	/** Takes what waits in every mailbox that is free, decides it, and commits it at once. */
	async #turn(): Promise<void> {
		const boxes = this.#take();
		this.#inFlight++;
		const taken = new Map<Mailbox<State, D>, Waiting<State, D>[]>();
		try {
			const batch: Committed<State, D>[] = [];
			for (const box of boxes) if (!this.#options.keeps(box.key)) this.#set(box, undefined);
			const unknown = boxes.filter((box) => box.state === undefined);
			if (unknown.length > 0) await Promise.all(unknown.map((box) => this.#loadOrRefuse(box)));
			for (const box of boxes) {
				if (box.state === undefined) continue;
				const entry = await this.#decide(box, taken);
				if (entry.decisions.length > 0) batch.push(entry);
			}
			await Promise.all(this.#options.portions(batch).map((portion) => this.#commit(portion, takenBy(portion, taken))));
		} finally {
			this.#inFlight--;
			for (const box of boxes) {
				box.busy = false;
				if (box.forgotten || !this.#options.keeps(box.key)) {
					box.forgotten = false;
					this.#set(box, undefined);
				}
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

	async #loadOrRefuse(box: Mailbox<State, D>): Promise<void> {
		try {
			await this.#load(box);
		} catch (error) {
			for (const waiting of box.queue.splice(0)) this.#settle(() => waiting.reject(error));
		}
	}

	async #decide(box: Mailbox<State, D>, taken: Map<Mailbox<State, D>, Waiting<State, D>[]>): Promise<Committed<State, D>> {
		const state = box.state as State;
		const first = this.#options.head(state) + 1;
		const decisions: D[] = [];
		const mine: Waiting<State, D>[] = [];
		let ahead = 0;
		while (box.queue.length > 0) {
			const waiting = box.queue[0] as Waiting<State, D>;
			if (waiting.command.alone && mine.length > 0) break;
			box.queue.shift();
			if (performance.now() > waiting.deadline) {
				this.#settle(() => waiting.reject(problem("unavailable", { retryAfter: 1 })));
				continue;
			}
			try {
				const made = waiting.command.decide(state, ahead) as unknown;
				waiting.decision = (made instanceof Promise ? await made : made) as D;
			} catch (error) {
				this.#settle(() => waiting.reject(error));
				continue;
			}
			mine.push(waiting);
			decisions.push(waiting.decision);
			ahead += waiting.decision.events.length;
			if (waiting.command.alone) break;
		}
		taken.set(box, mine);
		return { key: box.key, state, first, decisions };
	}

	async #commit(batch: Committed<State, D>[], taken: Map<Mailbox<State, D>, Waiting<State, D>[]>): Promise<void> {
		try {
			const stored = this.#options.commit(batch);
			if (this.#toTell.length > 0) setImmediate(() => this.#tell());
			await stored;
		} catch (error) {
			await this.#recover(error, taken);
			return;
		}
		this.#expected = this.#waiting;
		this.#gatherUntil = performance.now() + this.#options.gather;
		for (const entry of batch) {
			const box = this.#boxes.get(entry.key) as Mailbox<State, D>;
			const mine = taken.get(box) ?? [];
			this.#set(box, this.#afterCommit(entry));
			let seq = entry.first;
			for (const waiting of mine) {
				const seqs = waiting.decision?.events.map(() => seq++) ?? [];
				try {
					const answer = waiting.decision?.answer(seqs);
					this.#settle(() => waiting.resolve(answer));
				} catch (error) {
					this.#settle(() => waiting.reject(error));
				}
			}
		}
	}

	#tell(): void {
		clearTimeout(this.#telling);
		this.#telling = undefined;
		for (const tell of this.#toTell.splice(0)) {
			try {
				tell();
			} catch (error) {
				this.#options.onError(error);
			}
		}
	}

	/** It is stored, whatever happens now: who cannot go on from the state in memory goes on from the store. */
	#afterCommit(entry: Committed<State, D>): State | undefined {
		try {
			const later = (tell: () => void) => {
				this.#toTell.push(tell);
				this.#telling ??= setTimeout(() => this.#tell(), TELL_WITHIN);
			};
			return this.#options.committed(entry, later) ?? undefined;
		} catch (error) {
			this.#options.onError(error);
			return undefined;
		}
	}

	/**
	 * Nothing was stored, or nobody knows (the connection broke): forget the states. What was stored before is
	 * answered from the store; after a conflict the rest is decided again, each key alone; a store that is away refuses all,
	 * for a command decided a second time would meet what it may have stored itself.
	 */
	async #recover(error: unknown, taken: Map<Mailbox<State, D>, Waiting<State, D>[]>): Promise<void> {
		const conflict = this.#options.isConflict(error);
		const several = taken.size > 1 || [...taken.values()].some((mine) => mine.length > 1);
		// One of several may be what cannot be stored; when the store is away, none of them is.
		const apart = several && !this.#options.isAway(error);
		for (const [box, mine] of taken) {
			this.#set(box, undefined);
			const again: Waiting<State, D>[] = [];
			for (const waiting of mine) {
				waiting.tries++;
				const stored = conflict && this.#options.replay ? await this.#replay(box.key, waiting) : undefined;
				if (stored !== undefined) this.#settle(() => waiting.resolve(stored));
				else if ((conflict || (apart && waiting.tries === 1)) && waiting.tries < MAX_TRIES) again.push(waiting);
				else this.#settle(() => waiting.reject(error));
			}
			// Decided again alone: one command that cannot be stored must not take its neighbours with it.
			for (const waiting of again) waiting.command = { ...waiting.command, alone: true };
			box.queue.unshift(...again);
			box.isolated = true;
		}
	}

	async #replay(key: string, waiting: Waiting<State, D>): Promise<unknown> {
		try {
			return await this.#options.replay?.(key, waiting.decision as D);
		} catch {
			return undefined;
		}
	}

	#settle(answer: () => void): void {
		this.#waiting--;
		answer();
	}
}

/** What was taken from the mailboxes of a portion. */
function takenBy<State, D>(portion: Committed<State, D>[], taken: Map<Mailbox<State, D>, Waiting<State, D>[]>): typeof taken {
	if (portion.length === taken.size) return taken;
	const keys = new Set(portion.map(({ key }) => key));
	return new Map([...taken].filter(([box]) => keys.has(box.key)));
}
