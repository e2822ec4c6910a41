// Who does not answer is left alone for a while: else everything that waits for one dead server would try it, one after another, and hold
// the lanes of all others. Each process finds out for itself.
import { perBroker } from "../../../mixins/per-broker.ts";

/** Failures one after another. */
const ENOUGH = 3;
const FIRST_MS = 5_000;
const LONGEST_MS = 5 * 60_000;
/** Servers that are remembered; the names are strangers'. */
const MOST = 1_000;

class Breaker {
	readonly #servers = new Map<string, { failures: number; until: number }>();

	/** When this server may be asked again (ms); undefined: now. */
	closedUntil(server: string, now: number): number | undefined {
		const known = this.#servers.get(server);
		if (!known || known.failures < ENOUGH) return undefined;
		if (known.until > now) return known.until;
		// One goes and looks; the others wait for what comes of it.
		known.until = now + FIRST_MS;
		return undefined;
	}

	note(server: string, failed: boolean, now: number): void {
		const failures = failed ? (this.#servers.get(server)?.failures ?? 0) + 1 : 0;
		this.#servers.delete(server);
		if (!failed) return;
		this.#servers.set(server, { failures, until: now + Math.min(FIRST_MS * 2 ** Math.max(0, failures - ENOUGH), LONGEST_MS) });
		const [oldest] = this.#servers.keys();
		if (this.#servers.size > MOST && oldest !== undefined) this.#servers.delete(oldest);
	}
}

export const breakerOf = perBroker(() => new Breaker());
