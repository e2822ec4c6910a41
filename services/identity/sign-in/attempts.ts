// Tries to sign in that are under way in this process.
import { problem } from "../../contracts/errors.ts";

/** Tries that may wait for the one before them; beyond that: 503. */
const MAX_WAITING = 1_000;

/**
 * Tries at one account from one address go one after another: a throttle that counts what is over would let any number
 * through that come at once. Tries at different accounts run side by side, and are counted while they run.
 */
export class Attempts {
	readonly #tails = new Map<string, Promise<unknown>>();
	readonly #running = new Map<string, number>();
	#waiting = 0;

	/** @param attempt gets how many others run for the same address */
	async run<T>(email: string, address: string, attempt: (others: number) => Promise<T>): Promise<T> {
		if (this.#waiting >= MAX_WAITING) throw problem("unavailable", { retryAfter: 2 });
		const key = `${address} ${email}`;
		const before = this.#tails.get(key);
		const mine = (async () => {
			this.#waiting++;
			await before?.catch(() => {});
			this.#waiting--;
			const others = this.#running.get(address) ?? 0;
			this.#running.set(address, others + 1);
			try {
				return await attempt(others);
			} finally {
				const left = (this.#running.get(address) ?? 1) - 1;
				if (left > 0) this.#running.set(address, left);
				else this.#running.delete(address);
			}
		})();
		this.#tails.set(key, mine);
		try {
			return await mine;
		} finally {
			if (this.#tails.get(key) === mine) this.#tails.delete(key);
		}
	}
}
