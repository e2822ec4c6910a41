// A loop that works when it is woken and sleeps when there is nothing: relays, sources and inbox engines are made of it.

export interface WorkerOptions {
	/** Does one portion; answers how long to wait (ms) before the next one, 0 for at once, or null to sleep until woken. */
	work: () => Promise<number | null>;
	/** Wake at least so often (ms): the net under lost notifications. */
	atLeastEvery: number;
	/** How long to gather (ms) after being woken. Default: not at all. */
	gather?: () => number;
	/** Hears of an error, once: not again while it stays the same. */
	onError: (error: unknown) => void;
}

export class Worker {
	#options: WorkerOptions;
	/** Takes back the next portion; undefined while none is planned. */
	#cancel: (() => void) | undefined;
	#due = Number.POSITIVE_INFINITY;
	#running: Promise<void> | undefined;
	#wokenWhileRunning = false;
	#failures = 0;
	#lastError = "";
	#stopped = true;

	constructor(options: WorkerOptions) {
		this.#options = options;
	}

	start(): void {
		this.#stopped = false;
		this.#schedule(0);
	}

	/** There may be work. Cheap, and safe to call at any time. */
	wake(): void {
		if (this.#stopped) return;
		if (this.#running) this.#wokenWhileRunning = true;
		else if (this.#failures === 0) this.#schedule(this.#gather());
	}

	/** What was in the way is gone: a pause after failures ends. */
	retry(): void {
		this.#failures = 0;
		this.wake();
	}

	/** Ends the loop; resolved when the portion in hand is done. */
	async stop(): Promise<void> {
		this.#stopped = true;
		this.#cancel?.();
		await this.#running;
	}

	#gather(): number {
		return this.#options.gather?.() ?? 0;
	}

	#schedule(delay: number): void {
		const due = performance.now() + delay;
		if (this.#cancel && due >= this.#due) return;
		this.#cancel?.();
		this.#due = due;
		const run = () => {
			this.#cancel = undefined;
			this.#due = Number.POSITIVE_INFINITY;
			this.#running = this.#run();
		};
		// A timer would wait for a millisecond at least.
		if (delay < 1) {
			const turn = setImmediate(run);
			this.#cancel = () => clearImmediate(turn);
		} else {
			const timer = setTimeout(run, delay);
			this.#cancel = () => clearTimeout(timer);
		}
	}

	async #run(): Promise<void> {
		this.#wokenWhileRunning = false;
		let next: number | null;
		try {
			next = await this.#options.work();
			this.#failures = 0;
			this.#lastError = "";
		} catch (error) {
			this.#failures++;
			next = Math.min(5_000, 50 * 2 ** Math.min(this.#failures, 7));
			if (!this.#stopped && String(error) !== this.#lastError) this.#options.onError(error);
			this.#lastError = String(error);
		}
		this.#running = undefined;
		if (this.#stopped) return;
		const woken = this.#wokenWhileRunning && this.#failures === 0 ? this.#gather() : this.#options.atLeastEvery;
		this.#schedule(Math.min(next ?? this.#options.atLeastEvery, woken));
	}
}
