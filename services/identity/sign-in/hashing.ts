// Passwords as argon2id (ASVS 5 appendix C: 19 MiB, two passes, one lane), a bounded number at once: each costs memory and
// some 30 ms of a core, and strangers can ask for it. Threads of a lower priority compute them (hash-thread.js).
import { randomBytes, timingSafeEqual } from "node:crypto";
import { Worker } from "node:worker_threads";
import { problem } from "../../contracts/errors.ts";

const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const PREFIX = `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$`;
/** Hashes computed at once, by each process. */
export const AT_ONCE = 2;
export const MAX_WAITING = 400;
/** Who has waited so long (ms) is refused: they have gone, and a hash for nobody would keep the next one waiting. */
export const LONGEST_WAIT_MS = 15_000;
/** The lowest priority there is: what is measured beside chat with others is in bench/README.md. */
export const NICE = 19;

/** The priority for the threads, where the system has priorities of threads. */
export const niceOn = (platform: NodeJS.Platform): number | undefined => (platform === "linux" ? NICE : undefined);

/** How many hashes were computed since the start: known and unknown accounts must cost the same. */
export const computed = { hashes: 0 };

interface Job {
	given: { message: Buffer; nonce: Buffer };
	/** ms since 1970 */
	since: number;
	resolve(hash: Buffer): void;
	reject(error: unknown): void;
}

interface Thread {
	worker: Worker;
	job?: Job;
}

const busy = () => problem("unavailable", { retryAfter: 2 });
const base64 = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

/** A hash that no password has: what is computed for an account that does not exist. */
const NOBODY = `${PREFIX}${base64(Buffer.alloc(16))}$${base64(Buffer.alloc(32))}`;

export class Hashing {
	readonly #threads = new Set<Thread>();
	readonly #waiting: Job[] = [];
	readonly #report: (error: Error) => void;
	#stopped = false;

	/** @param report hears of a thread that failed; another one takes its place with the next hash */
	constructor(report: (error: Error) => void) {
		this.#report = report;
	}

	/** The hash of a password in PHC string format. Throws 503 `unavailable`. */
	async hash(password: string): Promise<string> {
		const nonce = randomBytes(16);
		return `${PREFIX}${base64(nonce)}$${base64(await this.#argon2id(password, nonce))}`;
	}

	/**
	 * Whether it is the password; computes one hash whether there is an account (`stored`) or not, and whether that has a password or
	 * not. Throws 503 `unavailable`.
	 */
	async verify(password: string, stored: string | null | undefined): Promise<boolean> {
		const [nonce = "", tag = ""] = (stored ?? NOBODY).slice(PREFIX.length).split("$");
		const expected = Buffer.from(tag, "base64");
		const hash = await this.#argon2id(password, Buffer.from(nonce, "base64"));
		return expected.length === hash.length && timingSafeEqual(expected, hash) && typeof stored === "string";
	}

	/** Ends the threads; who waits is told 503. Nobody waits for a hash that is being computed. */
	stop(): void {
		this.#stopped = true;
		for (const job of this.#waiting.splice(0)) job.reject(busy());
		for (const { worker } of this.#threads) void worker.terminate();
	}

	#argon2id(password: string, nonce: Buffer): Promise<Buffer> {
		return new Promise((resolve, reject) => {
			const job = { given: { message: Buffer.from(password, "utf8"), nonce }, since: Date.now(), resolve, reject };
			const free = this.#free();
			if (free) this.#give(free, job);
			else if (this.#stopped || this.#waiting.length >= MAX_WAITING) reject(busy());
			else this.#waiting.push(job);
		});
	}

	#free(): Thread | undefined {
		if (this.#stopped) return undefined;
		for (const thread of this.#threads) if (!thread.job) return thread;
		return this.#threads.size < AT_ONCE ? this.#start() : undefined;
	}

	#start(): Thread {
		const worker = new Worker(new URL("./hash-thread.js", import.meta.url), {
			name: "reloop passwords",
			workerData: { ...COST, nice: niceOn(process.platform) },
			// Nothing of the process's: neither what it imports first nor its secrets.
			execArgv: [],
			env: {},
		});
		const thread: Thread = { worker };
		worker.on("message", (hash: Uint8Array) => {
			const { job } = thread;
			delete thread.job;
			worker.unref();
			this.#next(thread);
			job?.resolve(Buffer.from(hash));
		});
		worker.on("error", (error) => {
			// It is about to end: nobody gives it another one.
			this.#threads.delete(thread);
			this.#report(error);
		});
		worker.on("exit", () => {
			this.#threads.delete(thread);
			thread.job?.reject(busy());
			delete thread.job;
			if (this.#waiting.length === 0) return;
			const free = this.#free();
			if (free) this.#next(free);
		});
		// Idle ones hold no process up.
		worker.unref();
		this.#threads.add(thread);
		return thread;
	}

	#next(thread: Thread): void {
		for (;;) {
			const job = this.#waiting.shift();
			if (!job) return;
			if (Date.now() - job.since <= LONGEST_WAIT_MS) return this.#give(thread, job);
			job.reject(busy());
		}
	}

	#give(thread: Thread, job: Job): void {
		thread.job = job;
		computed.hashes++;
		thread.worker.ref();
		thread.worker.postMessage(job.given);
	}
}
