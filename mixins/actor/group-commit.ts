// One commit, from mailboxes to answers: what waits in them is decided on the stored states, stored at once, and answered. What
// cannot be stored is decided again on what the store says then, each mailbox alone.
import type { Committed, Decision, Settled } from "./command.ts";
import { Later } from "./later.ts";
import { decide } from "./mailbox.ts";
import type { Mailbox, Share, Waiting } from "./mailbox.ts";

/** A command that was decided so often and not stored is refused. */
const MAX_TRIES = 5;

export class GroupCommit<State, D extends Decision<unknown, unknown>> {
	readonly #options: Settled<State, D>;
	readonly #lanes: { settle(answer: () => void): void; stored(): void };
	readonly #later: Later;

	/** @param lanes hears who was answered */
	constructor(options: Settled<State, D>, lanes: { settle(answer: () => void): void; stored(): void }) {
		this.#options = options;
		this.#lanes = lanes;
		this.#later = new Later(options.onError);
	}

	/** Takes what waits in these mailboxes, decides it, and commits it at once. */
	async run(boxes: readonly Mailbox<State, D>[]): Promise<void> {
		const { keeps, head, portions } = this.#options;
		for (const box of boxes) if (!keeps(box.key)) box.set(undefined);
		const unknown = boxes.filter((box) => box.state === undefined);
		if (unknown.length > 0) await Promise.all(unknown.map((box) => this.#loadOrRefuse(box)));
		const shares = new Map<string, Share<State, D>>();
		for (const box of boxes) {
			if (box.state === undefined) continue;
			const share = await decide(box, box.state, head(box.state), this.#lanes.settle);
			if (share.callers.length > 0) shares.set(box.key, share);
		}
		const batch = [...shares.values()].map(({ entry }) => entry);
		await Promise.all(portions(batch).map((portion) => this.#commit(portion, shares)));
	}

	/** Tells at once what was to be told in a moment. */
	tell(): void {
		this.#later.flush();
	}

	async #loadOrRefuse(box: Mailbox<State, D>): Promise<void> {
		try {
			await box.load(this.#options.load);
		} catch (error) {
			for (const { reject } of box.queue.splice(0)) this.#lanes.settle(() => reject(error));
		}
	}

	async #commit(portion: Committed<State, D>[], all: ReadonlyMap<string, Share<State, D>>): Promise<void> {
		const shares = portion.map(({ key }) => all.get(key) as Share<State, D>);
		try {
			const stored = this.#options.commit(portion);
			this.#later.committing();
			await stored;
		} catch (error) {
			await this.#recover(error, shares);
			return;
		}
		this.#lanes.stored();
		for (const share of shares) {
			share.box.set(this.#afterCommit(share.entry));
			this.#answer(share);
		}
	}

	/** It is stored, whatever happens now: who cannot go on from the state in memory goes on from the store. */
	#afterCommit(entry: Committed<State, D>): State | undefined {
		try {
			return this.#options.committed(entry, this.#later.add) ?? undefined;
		} catch (error) {
			this.#options.onError(error);
			return undefined;
		}
	}

	#answer({ entry, callers }: Share<State, D>): void {
		let seq = entry.first;
		for (const [i, decision] of entry.decisions.entries()) {
			const { resolve, reject } = callers[i] as Waiting<State, D>;
			const seqs = decision.events.map(() => seq++);
			try {
				const answer = decision.answer(seqs);
				this.#lanes.settle(() => resolve(answer));
			} catch (error) {
				this.#lanes.settle(() => reject(error));
			}
		}
	}

	/**
	 * Nothing was stored, or nobody knows (the connection broke): forget the states. What was stored before is
	 * answered from the store; after a conflict the rest is decided again, each key alone; a store that is away refuses all,
	 * for a command decided a second time would meet what it may have stored itself.
	 */
	async #recover(error: unknown, shares: readonly Share<State, D>[]): Promise<void> {
		const conflict = this.#options.isConflict(error);
		const several = shares.length > 1 || shares.some(({ callers }) => callers.length > 1);
		// One of several may be what cannot be stored; when the store is away, none of them is.
		const apart = several && !this.#options.isAway(error);
		for (const { box, entry, callers } of shares) {
			box.set(undefined);
			const again: Waiting<State, D>[] = [];
			for (const [i, waiting] of callers.entries()) {
				waiting.tries++;
				const stored = conflict ? await this.#replay(box.key, entry.decisions[i] as D) : undefined;
				if (stored !== undefined) this.#lanes.settle(() => waiting.resolve(stored));
				else if ((conflict || (apart && waiting.tries === 1)) && waiting.tries < MAX_TRIES) again.push(waiting);
				else this.#lanes.settle(() => waiting.reject(error));
			}
			// Decided again alone: one command that cannot be stored must not take its neighbours with it.
			for (const waiting of again) waiting.command = { ...waiting.command, alone: true };
			box.queue.unshift(...again);
			box.isolated = true;
		}
	}

	async #replay(key: string, decision: D): Promise<unknown> {
		try {
			return await this.#options.replay?.(key, decision);
		} catch {
			return undefined;
		}
	}
}
