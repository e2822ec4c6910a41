// What is asked of others now and then and known in between: a document of an issuer.

export interface KeptTimes {
	/** So long (ms) what was answered counts without a question. */
	freshMs: number;
	/** So long it counts where the question is not answered. */
	staleMs: number;
	/** So long after a question that was not answered nobody waits for another. */
	pauseMs: number;
}

/** One answer, asked for by whoever needs it first; who comes meanwhile waits for the same. */
export class Kept<T> {
	readonly #ask: () => Promise<T>;
	readonly #times: KeptTimes;
	#known: { value: T; at: number } | undefined;
	#failed: { error: unknown; at: number } | undefined;
	#asking: Promise<T> | undefined;

	constructor(ask: () => Promise<T>, times: KeptTimes) {
		this.#ask = ask;
		this.#times = times;
	}

	/** Throws what the question threw, where nothing is known. */
	async get(): Promise<T> {
		const known = this.#known;
		if (known && Date.now() - known.at < this.#times.freshMs) return known.value;
		try {
			return await this.renew();
		} catch (error) {
			if (known && Date.now() - known.at < this.#times.staleMs) return known.value;
			throw error;
		}
	}

	/** A question is under way: to ask anew costs nothing. */
	get isAsking(): boolean {
		return this.#asking !== undefined;
	}

	/** Asks anew, whatever is known. */
	renew(): Promise<T> {
		const { error, at } = this.#failed ?? { at: Number.NEGATIVE_INFINITY };
		if (Date.now() - at < this.#times.pauseMs) return Promise.reject(error);
		this.#asking ??= this.#askOnce();
		return this.#asking;
	}

	async #askOnce(): Promise<T> {
		try {
			const value = await this.#ask();
			this.#known = { value, at: Date.now() };
			this.#failed = undefined;
			return value;
		} catch (error) {
			this.#failed = { error, at: Date.now() };
			throw error;
		} finally {
			this.#asking = undefined;
		}
	}
}
