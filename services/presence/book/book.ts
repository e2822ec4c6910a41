// Who is here, as the services of this node ask it: kept in this process where it is the only one, in Redis where several
// answer. Both do the same; `domain/presence.ts` and `scripts/` say what that is.
import type { DoorReport, PresenceEntry } from "../../contracts/presence.ts";
import type { News, Said, Seen } from "../domain/presence.ts";

/** What a door hears back. */
export interface Heard {
	/** False where the door has to begin anew: it is not known, or not all it has said has arrived. */
	known: boolean;
	/** The number of the last change that was told. */
	told: number;
}

export interface Tidings extends News {
	/** Numbers what is told, without a gap. */
	number: number;
	/** There is more. */
	more: boolean;
	/** The book's own note of what this confirms when it is told. */
	confirm?: readonly (string | number)[];
}

export interface PresenceBook {
	/** Those of whom nothing is known here: whether they hide must be found out before they come. */
	strangers(profileIds: readonly string[]): Promise<string[]>;
	/** @param hidden strangers who hide */
	report(report: DoorReport, hidden: ReadonlySet<string>): Promise<Heard>;
	/** False where this is no socket of that profile. */
	set(connectionId: string, profileId: string, said: Said): Promise<boolean>;
	/** What is looked at on a socket; null for nothing. False where this is no socket of that profile. */
	focus(connectionId: string, profileId: string, room: string | null): Promise<boolean>;
	/** Whether each of these profiles looks at that room just now, on any socket; who has said that they are away does not. */
	looking(pairs: readonly { profileId: string; room: string }[]): Promise<boolean[]>;
	/** How others see these profiles; of those who are left out only the store knows when it was. */
	look(profileIds: readonly string[]): Promise<Map<string, PresenceEntry>>;
	/** Profiles that are known here, in the order of their ids, after one; some may hide, or be about to go. */
	here(after: string | null, limit: number): Promise<string[]>;
	/** A process went away, and with it the sockets of its door. */
	processGone(nodeId: string): Promise<void>;
	/** What has changed and is to be told and stored; undefined where nothing has. Somebody else is asked for it no more, for a while. */
	news(): Promise<Tidings | undefined>;
	/** It was told. What is not confirmed is news again. */
	told(news: Tidings): Promise<void>;
	/** When to ask for news again without being stirred, in ms since 1970; undefined for not at all. */
	nextDue(): number | undefined;
	/** What to remember when this process ends. */
	leaving(): Promise<Seen[]>;
}
