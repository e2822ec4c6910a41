// What the doors hear of presence are signals, and those may be lost, or come late from a process that was held up. They are
// numbered: what is missing is asked for, and of whom an older word comes after a newer one, is asked instead of believed.
import type { ServiceBroker } from "moleculer";
import { callAction } from "../../../mixins/call.ts";
import type { PresenceChanged, PresenceEntry } from "../../contracts/presence.ts";

/** As many profiles as the presence node is asked for at once. */
const LOOKUP = 500;

/** Which numbers of a gapless sequence have come. */
export class Numbers {
	/** All up to this have come, or do not matter any more. */
	#through = 0;
	#latest = 0;
	/** The last one at the look before. */
	#expected = 0;
	readonly #ahead = new Set<number>();
	#begun = false;

	/** True where it is newer than all before. */
	came(number: number): boolean {
		const newest = number > this.#latest;
		this.#latest = Math.max(this.#latest, number);
		this.#ahead.add(number);
		this.#advance();
		return newest;
	}

	/** The last one that was given out: from here on the sequence is followed. */
	begin(last: number): void {
		this.#begun = true;
		this.#through = last;
		this.#latest = last;
		this.#expected = last;
		this.#advance();
	}

	/** The last one that was given out. True where one is missing that was given out by the time of the look before. */
	look(last: number): boolean {
		if (!this.#begun) this.begin(last);
		const missing = this.#expected > this.#through;
		if (missing) this.#through = Math.max(this.#through, last);
		this.#latest = Math.max(this.#latest, this.#through);
		this.#expected = last;
		this.#advance();
		return missing;
	}

	#advance(): void {
		while (this.#ahead.delete(this.#through + 1)) this.#through++;
		if (this.#ahead.size === 0) return;
		for (const number of this.#ahead) if (number <= this.#through) this.#ahead.delete(number);
	}
}

/** Those whom it may concern. */
export interface Followers {
	/** Everybody who is followed by somebody here. */
	profiles(): Iterable<string>;
	changed(profiles: readonly PresenceEntry[]): void;
}

export class PresenceNews {
	readonly #broker: ServiceBroker;
	readonly #followers: Followers;
	readonly #numbers = new Numbers();
	/** About whom is to be asked. */
	readonly #doubted = new Set<string>();
	/** Heard of while a question is under way: its answer may be older. */
	#overtaken: Set<string> | undefined;

	constructor(broker: ServiceBroker, followers: Followers) {
		this.#broker = broker;
		this.#followers = followers;
	}

	/** A signal came. */
	heard({ number, profiles }: PresenceChanged): void {
		if (this.#numbers.came(number)) {
			for (const { profileId } of profiles) this.#overtaken?.add(profileId);
			this.#followers.changed(profiles);
		} else this.doubt(profiles.map(({ profileId }) => profileId));
	}

	/** The node said which was the last. `again`: nobody knows what was missed before. */
	told(last: number, again: boolean): void {
		if (again) this.#numbers.begin(last);
		if (again || this.#numbers.look(last)) this.doubt(this.#followers.profiles());
		else void this.#ask();
	}

	/** What is known of these may be wrong. */
	doubt(profileIds: Iterable<string>): void {
		for (const id of profileIds) this.#doubted.add(id);
		void this.#ask();
	}

	/** Asks about all who are doubted; about those it got no answer for, at the next word of the node. */
	async #ask(): Promise<void> {
		if (this.#overtaken) return;
		while (this.#doubted.size > 0) {
			const ids = [...this.#doubted].slice(0, LOOKUP);
			for (const id of ids) this.#doubted.delete(id);
			const overtaken = new Set<string>();
			this.#overtaken = overtaken;
			try {
				const { data } = await callAction(this.#broker, "presence.states", { ids }, { timeout: 5_000 });
				const unknown = data.filter(({ status }) => status === "unknown");
				this.#followers.changed(data.filter(({ profileId, status }) => status !== "unknown" && !overtaken.has(profileId)));
				for (const { profileId } of unknown) this.#doubted.add(profileId);
				if (unknown.length > 0) return;
			} catch (error) {
				this.#broker.logger.debug("Who is here could not be asked again.", { error: String(error) });
				for (const id of ids) this.#doubted.add(id);
				return;
			} finally {
				this.#overtaken = undefined;
			}
		}
	}
}
