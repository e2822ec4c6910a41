// How long a relay gathers after it was woken: hardly at all where little is told, longer the more there is, since large portions
// are cheap. So a fact that comes alone is quick, and a busy node spends its time on something else.

const MOST_MS = 100;
/** The rate (facts/s) at which it gathers longest. */
const BUSY = 2_000;
/** The time (ms) over which the rate is taken. */
const WINDOW = 250;

export class Pace {
	#load = 0;
	#at = performance.now();

	/** So many facts were carried. */
	carried(facts: number): void {
		this.#load = this.#decayed() + facts;
		this.#at = performance.now();
	}

	/** How long to gather now, in ms. */
	gather(): number {
		const rate = (this.#decayed() / WINDOW) * 1_000;
		return Math.min(MOST_MS, (rate / BUSY) * MOST_MS);
	}

	#decayed(): number {
		return this.#load * Math.exp((this.#at - performance.now()) / WINDOW);
	}
}
