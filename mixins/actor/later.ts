// What is told to the world after a commit: in order, once the next commit is on its way, at the latest a moment later.

/** What is to be told waits at most so long (ms) for the next commit. */
const TELL_WITHIN = 1;

export class Later {
	readonly #onError: (error: unknown) => void;
	#waiting: (() => void)[] = [];
	#timer: NodeJS.Timeout | undefined;

	constructor(onError: (error: unknown) => void) {
		this.#onError = onError;
	}

	/** @param now not in a moment, but before `add` returns; with all that waits */
	readonly add = (tell: () => void, { now = false }: { now?: boolean } = {}): void => {
		this.#waiting.push(tell);
		if (now) return this.flush();
		this.#timer ??= setTimeout(() => this.flush(), TELL_WITHIN);
	};

	/** A commit was sent to the store: there is time now. */
	committing(): void {
		if (this.#waiting.length > 0) setImmediate(() => this.flush());
	}

	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		for (const tell of this.#waiting.splice(0)) {
			try {
				tell();
			} catch (error) {
				this.#onError(error);
			}
		}
	}
}
