// How the members of a group are, counted. Pure.
import type { GroupPresence, PresenceEntry } from "../../contracts/presence.ts";

type Counts = NonNullable<GroupPresence["counts"]>;
type Here = PresenceEntry & { status: "online" | "away" };

export const isHere = (entry: PresenceEntry): entry is Here => entry.status === "online" || entry.status === "away";

/** Counts members as they are looked up, portion by portion; whoever was not looked up is offline. */
export class Census {
	readonly #most: number;
	#online = 0;
	#away = 0;
	#unknown = false;
	readonly #here: Here[] = [];

	/** @param most as many are named: of the first ones that are here */
	constructor(most: number) {
		this.#most = most;
	}

	add(entries: readonly PresenceEntry[]): void {
		for (const entry of entries) {
			if (entry.status === "unknown") this.#unknown = true;
			if (!isHere(entry)) continue;
			if (entry.status === "online") this.#online++;
			else this.#away++;
			if (this.#here.length < this.#most) this.#here.push(entry);
		}
	}

	/** Null counts where somebody could not be asked for. */
	result(memberCount: number): { counts: Counts | null; online: PresenceEntry[] } {
		if (this.#unknown) return { counts: null, online: [] };
		const here = this.#online + this.#away;
		// Who has joined since is in the counts of who is here, and not yet in that of the members.
		return { counts: { online: this.#online, away: this.#away, offline: Math.max(0, memberCount - here) }, online: this.#here };
	}
}
