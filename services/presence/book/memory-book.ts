// Who is here, in the memory of the one process that there is.
import type { DoorReport, PresenceEntry } from "../../contracts/presence.ts";
import type { Heard, PresenceBook, Tidings } from "./book.ts";
import { Presence } from "../domain/presence.ts";
import type { Said, Seen } from "../domain/presence.ts";

export class MemoryBook implements PresenceBook {
	readonly #presence = new Presence();
	/** By instance: the number of the last report, and the sockets there are. */
	readonly #doors = new Map<string, { no: number; sockets: Set<string> }>();
	#told = 0;

	async strangers(profileIds: readonly string[]): Promise<string[]> {
		return profileIds.filter((id) => !this.#presence.knows(id));
	}

	async report({ instance, no, begin, count, opened, closed }: DoorReport, hidden: ReadonlySet<string>): Promise<Heard> {
		const now = new Date();
		const known = this.#doors.get(instance);
		if (known && no <= known.no) return { known: true, told: this.#told };
		if (!known && !begin) return { known: false, told: this.#told };
		if (known && begin) this.#gone(instance, now);
		const sockets = begin || !known ? new Set<string>() : known.sockets;
		this.#doors.set(instance, { no, sockets });
		for (const { connectionId, profileId, looks } of opened) {
			sockets.add(connectionId);
			this.#presence.connected(connectionId, profileId, hidden.has(profileId), now);
			if (looks !== undefined) this.#presence.focus(connectionId, profileId, looks);
		}
		for (const connectionId of closed) {
			sockets.delete(connectionId);
			this.#presence.disconnected(connectionId, now);
		}
		return { known: sockets.size === count, told: this.#told };
	}

	async set(connectionId: string, profileId: string, said: Said): Promise<boolean> {
		return this.#presence.set(connectionId, profileId, said);
	}

	async focus(connectionId: string, profileId: string, room: string | null): Promise<boolean> {
		return this.#presence.focus(connectionId, profileId, room);
	}

	async looking(pairs: readonly { profileId: string; room: string }[]): Promise<boolean[]> {
		return pairs.map(({ profileId, room }) => this.#presence.isLooking(profileId, room));
	}

	async look(profileIds: readonly string[]): Promise<Map<string, PresenceEntry>> {
		const now = new Date();
		const here = new Map<string, PresenceEntry>();
		for (const id of profileIds) {
			const entry = this.#presence.look(id, now);
			if (entry) here.set(id, entry);
		}
		return here;
	}

	async here(after: string | null, limit: number): Promise<string[]> {
		return this.#presence.here(after, limit);
	}

	async processGone(nodeId: string): Promise<void> {
		for (const instance of [...this.#doors.keys()]) if (instance.startsWith(`${nodeId}|`)) this.#gone(instance, new Date());
	}

	async news(): Promise<Tidings | undefined> {
		const { changed, seen } = this.#presence.news(new Date());
		if (changed.length > 0) this.#told++;
		return changed.length + seen.length > 0 ? { number: this.#told, changed, seen, more: false } : undefined;
	}

	/** Nothing is lost on the way to a listener in the same process. */
	async told(): Promise<void> {}

	nextDue(): number | undefined {
		return this.#presence.nextDue();
	}

	async leaving(): Promise<Seen[]> {
		return this.#presence.everybody(new Date());
	}

	#gone(instance: string, now: Date): void {
		for (const connectionId of this.#doors.get(instance)?.sockets ?? []) this.#presence.disconnected(connectionId, now);
		this.#doors.delete(instance);
	}
}
