// What an actor is asked and what it makes of it, and what those who keep actors say about theirs.

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

/** What one actor adds to a commit. */
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
	 * its way, so that telling the world and storing what follows go side by side. With `now` it runs at once, and all that waits before it.
	 */
	committed: (entry: Committed<State, D>, later: (tell: () => void, options?: { now?: boolean }) => void) => State | null;
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

/** The options as they are after the defaults. */
export type Settled<State, D> = Required<Omit<ActorsOptions<State, D>, "replay">> & Pick<ActorsOptions<State, D>, "replay">;

export function withDefaults<State, D>(options: ActorsOptions<State, D>): Settled<State, D> {
	return {
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
