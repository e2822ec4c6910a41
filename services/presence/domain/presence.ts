// Who is here, over all sockets of a profile. Pure: it is handed the time and says what has changed; who stores it, who
// hears of it and when to look again is the service's.
import type { PresenceEntry } from "../../contracts/presence.ts";

/** What a client says of itself. It holds for the whole profile: `away` until all its sockets are gone, `hidden` for good. */
export type Said = "online" | "away" | "hidden";

/** So long (ms) after its last socket a profile still counts as here: a link that flaps is no news. */
export const GRACE = 1_500;
/** Changes are gathered for so long (ms) before they are told: a crowd that comes is one signal. */
export const GATHER = 100;

interface Person {
	readonly connections: Set<string>;
	said: Said;
	readonly cameAt: number;
	/** When the last socket went, in ms; undefined while there is one. */
	leftAt: number | undefined;
}

/** What is worth remembering when the process is gone. */
export interface Seen {
	profileId: string;
	lastSeen: string;
	hidden: boolean;
}

export interface News {
	/** For those who follow these profiles. */
	changed: PresenceEntry[];
	/** For the store. */
	seen: Seen[];
}

export class Presence {
	readonly #people = new Map<string, Person>();
	readonly #profileOf = new Map<string, string>();
	/** The room that is looked at on a socket. */
	readonly #focus = new Map<string, string>();
	/** What followers were told last; who is not here is offline. */
	readonly #told = new Map<string, PresenceEntry["status"]>();
	/** What it was before a client said otherwise, until that is told. */
	readonly #shown = new Map<string, PresenceEntry["status"]>();
	/** Whose state may be another than what was told. */
	readonly #touched = new Set<string>();
	/** Whose row in the store is out of date. */
	readonly #unsaved = new Set<string>();

	/** Is anything known of this profile, so that its row need not be read? */
	knows(profileId: string): boolean {
		return this.#people.has(profileId);
	}

	/** Profiles with a socket or within their grace. */
	get size(): number {
		return this.#people.size;
	}

	/** A socket opened. `hidden`: what is remembered of the profile, used where it is not known here. */
	connected(connectionId: string, profileId: string, hidden: boolean, now: Date): void {
		let person = this.#people.get(profileId);
		// Who went for good is somebody new, also before that was told.
		if (!person || isOver(person, now)) {
			const said = hidden || person?.said === "hidden" ? "hidden" : "online";
			person = { connections: new Set(), said, cameAt: now.getTime(), leftAt: undefined };
			this.#people.set(profileId, person);
			this.#unsaved.add(profileId);
		}
		person.connections.add(connectionId);
		person.leftAt = undefined;
		this.#profileOf.set(connectionId, profileId);
		this.#touched.add(profileId);
	}

	/** A socket closed. One that is not known is no news: it was told before. */
	disconnected(connectionId: string, now: Date): void {
		const profileId = this.#profileOf.get(connectionId);
		const person = profileId === undefined ? undefined : this.#people.get(profileId);
		this.#profileOf.delete(connectionId);
		this.#focus.delete(connectionId);
		if (profileId === undefined || !person?.connections.delete(connectionId)) return;
		if (person.connections.size > 0) return;
		person.leftAt = now.getTime();
		this.#touched.add(profileId);
	}

	/** False where this is no socket of that profile. */
	set(connectionId: string, profileId: string, said: Said): boolean {
		const person = this.#people.get(profileId);
		if (!person?.connections.has(connectionId)) return false;
		if ((person.said === "hidden") !== (said === "hidden")) this.#unsaved.add(profileId);
		// Who asked just before has seen it as it was, whether that was told or not: the change is news to them.
		if (person.said !== said) this.#shown.set(profileId, person.said === "hidden" ? "offline" : person.said);
		person.said = said;
		this.#touched.add(profileId);
		return true;
	}

	/** What is looked at on a socket; null for nothing. False where this is no socket of that profile. */
	focus(connectionId: string, profileId: string, room: string | null): boolean {
		if (!this.#people.get(profileId)?.connections.has(connectionId)) return false;
		if (room === null) this.#focus.delete(connectionId);
		else this.#focus.set(connectionId, room);
		return true;
	}

	/** Whether the room is looked at on a socket of the profile, which has not said that it is away. */
	isLooking(profileId: string, room: string): boolean {
		const person = this.#people.get(profileId);
		if (!person || person.said === "away") return false;
		return [...person.connections].some((connectionId) => this.#focus.get(connectionId) === room);
	}

	/** How others see a profile; undefined for who is not known here: then only the store knows when it was. */
	look(profileId: string, now: Date): PresenceEntry | undefined {
		const person = this.#people.get(profileId);
		if (!person) return undefined;
		if (person.said === "hidden") return { profileId, status: "offline", lastSeen: null };
		if (person.leftAt !== undefined && isOver(person, now)) return { profileId, status: "offline", lastSeen: iso(person.leftAt) };
		return { profileId, status: person.said, lastSeen: null };
	}

	/** Who is known here, in the order of their ids, after one. */
	here(after: string | null, limit: number): string[] {
		return [...this.#people.keys()]
			.filter((id) => after === null || id > after)
			.sort()
			.slice(0, limit);
	}

	/** What has changed since it was asked last. */
	news(now: Date): News {
		const changed: PresenceEntry[] = [];
		const seen: Seen[] = [];
		for (const profileId of this.#touched) {
			const person = this.#people.get(profileId);
			const entry = this.look(profileId, now) ?? { profileId, status: "offline", lastSeen: null };
			if (person && isOver(person, now)) {
				seen.push({ profileId, lastSeen: iso(person.leftAt ?? now.getTime()), hidden: person.said === "hidden" });
				this.#people.delete(profileId);
				this.#unsaved.delete(profileId);
			}
			const known = [this.#told.get(profileId) ?? "offline", this.#shown.get(profileId) ?? entry.status];
			if (known.some((before) => before !== entry.status)) changed.push(entry);
			this.#shown.delete(profileId);
			if (entry.status === "offline") this.#told.delete(profileId);
			else this.#told.set(profileId, entry.status);
			// Within its grace it has to be looked at again.
			if (person?.leftAt === undefined || !this.#people.has(profileId)) this.#touched.delete(profileId);
		}
		for (const profileId of this.#unsaved) {
			const person = this.#people.get(profileId);
			if (person) seen.push({ profileId, lastSeen: iso(person.cameAt), hidden: person.said === "hidden" });
		}
		this.#unsaved.clear();
		return { changed, seen };
	}

	/** When the next grace ends, in ms; undefined when none runs. */
	nextDue(): number | undefined {
		let due: number | undefined;
		for (const profileId of this.#touched) {
			const leftAt = this.#people.get(profileId)?.leftAt;
			if (leftAt !== undefined && (due === undefined || leftAt + GRACE < due)) due = leftAt + GRACE;
		}
		return due;
	}

	/** Everybody who is here, as they would be remembered if this were the end. */
	everybody(now: Date): Seen[] {
		return [...this.#people].map(([profileId, person]) => ({
			profileId,
			lastSeen: iso(person.leftAt ?? now.getTime()),
			hidden: person.said === "hidden",
		}));
	}
}

const iso = (ms: number): string => new Date(ms).toISOString();
const isOver = ({ leftAt }: Person, now: Date): boolean => leftAt !== undefined && now.getTime() >= leftAt + GRACE;
