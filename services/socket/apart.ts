// Who of those who are connected here has blocked whom, or was blocked by them: neither hears that the other types, reads or is here. Asked of
// the groups node when somebody connects, many at once; kept up by its signal, and asked again now and then, for a signal may be lost.
import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { callAction } from "../../mixins/call.ts";

/** Questions of so long (ms) are one. */
const GATHER = 5;
const AT_ONCE = 500;
/** After a question that was not answered, the next one comes so much later (ms). */
const AGAIN = 1_000;
/** Nobody waits longer (ms) for an answer. */
const PATIENCE = 1_000;

export class Apart {
	readonly #broker: ServiceBroker;
	/** Undefined until it is known: so long nothing passes. */
	readonly #of = new Map<string, Set<string> | undefined>();
	/** What was said while it was asked for. */
	readonly #news = new Map<string, Map<string, boolean>>();
	readonly #waiting = new Map<string, (() => void)[]>();
	#asked = new Set<string>();
	#timer: NodeJS.Timeout | undefined;
	#running: Promise<void> = Promise.resolve();
	/** Of these others the profile may hear now, or no longer; of anybody where they are not named. */
	onChanged: ((profileId: string, others: ReadonlySet<string> | undefined) => void) | undefined;

	constructor(broker: ServiceBroker) {
		this.#broker = broker;
	}

	/** Has one blocked the other? One of them is connected here; until it is known of them, they are taken to be apart. */
	has(profileId: string, other: string | undefined): boolean {
		if (other === undefined || other === profileId) return false;
		const known = this.#of.get(profileId);
		return known === undefined || known.has(other);
	}

	/** Somebody is connected. */
	add(profileId: string): void {
		if (this.#of.has(profileId)) return;
		this.#of.set(profileId, undefined);
		this.#ask(profileId, GATHER);
	}

	/** Resolved when it is known of a profile, so that nothing is kept from it for long after it connected; or after a moment of patience. */
	known(profileId: string): Promise<void> {
		if (this.#of.get(profileId) !== undefined || !this.#of.has(profileId)) return Promise.resolve();
		return new Promise((resolve) => {
			this.#waiting.set(profileId, [...(this.#waiting.get(profileId) ?? []), resolve]);
			setTimeout(resolve, PATIENCE).unref();
		});
	}

	/** Nobody is connected as this profile any more. */
	remove(profileId: string): void {
		this.#of.delete(profileId);
		this.#release(profileId);
	}

	#release(profileId: string): void {
		for (const resolve of this.#waiting.get(profileId) ?? []) resolve();
		this.#waiting.delete(profileId);
	}

	/** Asks again for all who are here. */
	refresh(): void {
		for (const profileId of this.#of.keys()) this.#ask(profileId, GATHER);
	}

	/** Two profiles are apart now, or no longer. */
	heard([one, other]: readonly string[], apart: boolean): void {
		if (one === undefined || other === undefined) return;
		for (const [profileId, from] of [
			[one, other],
			[other, one],
		] as const) {
			if (!this.#of.has(profileId)) continue;
			// An answer that is under way may be older than this.
			const news = this.#news.get(profileId) ?? new Map<string, boolean>();
			this.#news.set(profileId, news.set(from, apart));
			apply(this.#of.get(profileId), news);
			this.onChanged?.(profileId, new Set([from]));
			this.#ask(profileId, GATHER);
		}
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#of.clear();
	}

	#ask(profileId: string, ms: number): void {
		this.#asked.add(profileId);
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			// One after another: an older answer must not come behind a newer one.
			this.#running = this.#running.then(() => this.#run());
		}, ms).unref();
	}

	async #run(): Promise<void> {
		const asked = [...this.#asked];
		this.#asked = new Set();
		for (let from = 0; from < asked.length; from += AT_ONCE) {
			const profileIds = asked.slice(from, from + AT_ONCE);
			for (const id of profileIds) this.#news.delete(id);
			try {
				const { apart } = await callAction(this.#broker, "blocks.apart", { profileIds }, { meta: { requestId: randomUUID() } });
				for (const [at, id] of profileIds.entries()) {
					if (!this.#of.has(id)) continue;
					const known = new Set(apart[at]);
					apply(known, this.#news.get(id));
					const changed = this.#of.get(id)?.symmetricDifference(known);
					this.#of.set(id, known);
					this.#release(id);
					if (changed?.size !== 0) this.onChanged?.(id, changed);
				}
			} catch (error) {
				this.#broker.logger.debug("Who is apart from whom could not be asked; it is asked again.", { error: String(error) });
				for (const id of profileIds) if (this.#of.has(id)) this.#ask(id, AGAIN);
			}
		}
	}
}

function apply(known: Set<string> | undefined, news: ReadonlyMap<string, boolean> = new Map()): void {
	for (const [id, apart] of news) {
		if (apart) known?.add(id);
		else known?.delete(id);
	}
}
