// Who is in a group, as far as that is known in memory. A group of 100,000 must not be read whole to let one more in: those who run it
// and how many there are, are always known; of the others whoever was asked about. Pure: what is not known is thrown as `NotKnown`, and
// who asked reads it from the store and decides again (members.ts of this node).
import type { MemberRole } from "../../contracts/groups.ts";
import type { Member } from "./group.ts";

export type Entry = readonly [profileId: string, member: Member];

/** Thrown where a decision needs somebody who is not in memory. */
export class NotKnown extends Error {
	readonly profileIds: readonly string[];
	/** Wanted is not somebody by name but who has been in the group longest, beside this profile. */
	readonly eldestBeside: string | undefined;
	constructor(profileIds: readonly string[], eldestBeside?: string) {
		super("This is not in memory.");
		this.profileIds = profileIds;
		this.eldestBeside = eldestBeside;
	}
}

/** Entries beyond which those that are not needed all the time are forgotten. */
const MOST_KNOWN = 20_000;
const RANK: Record<MemberRole, number> = { member: 1, moderator: 2, admin: 3 };
const inRank = ([, one]: Entry, [, other]: Entry): number => RANK[other.role] - RANK[one.role] || one.joinedSeq - other.joinedSeq;

export class Roster {
	/** Null: known to be no member. */
	#known: Map<string, Member | null>;
	/** Moderators and admins: all of them. */
	readonly #staff = new Map<string, Member>();
	#size: number;
	/** Whoever is not known is no member. */
	#complete: boolean;
	#eldest: { beside: string; entry: Entry } | undefined;
	/** Counts how often entries were forgotten: what was read from the store before that may be out of date. */
	#generation = 0;

	/** @param entries all moderators and admins among them; and all members, unless `size` says that there are more */
	constructor(entries: Iterable<Entry>, size?: number) {
		this.#known = new Map(entries);
		this.#size = size ?? this.#known.size;
		this.#complete = this.#known.size >= this.#size;
		for (const [profileId, member] of entries) if (member.role !== "member") this.#staff.set(profileId, member);
	}

	/** How many members there are. */
	get size(): number {
		return this.#size;
	}

	get generation(): number {
		return this.#generation;
	}

	/** Throws `NotKnown`. */
	get(profileId: string): Member | undefined {
		const member = this.#known.get(profileId);
		if (member === undefined && !this.#complete) throw new NotKnown([profileId]);
		return member ?? undefined;
	}

	/** Throws `NotKnown`. */
	has(profileId: string): boolean {
		return this.get(profileId) !== undefined;
	}

	/** Those of whom nothing is known. */
	unknown(profileIds: Iterable<string>): string[] {
		if (this.#complete) return [];
		return [...new Set(profileIds)].filter((id) => this.#known.get(id) === undefined);
	}

	/** Admins first, of one role those first who came first. */
	staff(): Entry[] {
		return [...this.#staff].sort(inRank);
	}

	admins(): number {
		let admins = 0;
		for (const { role } of this.#staff.values()) if (role === "admin") admins++;
		return admins;
	}

	/** Who is there beside this one: the highest in rank, of those the longest in the group. Throws `NotKnown`. */
	firstBeside(profileId: string): Entry | undefined {
		const beside = (entry: readonly [string, Member | null]): entry is Entry => entry[1] !== null && entry[0] !== profileId;
		const first = [...this.#staff].filter(beside).sort(inRank)[0];
		if (first) return first;
		if (this.#complete)
			return [...this.#known]
				.map((entry) => entry as readonly [string, Member | null])
				.filter(beside)
				.sort(inRank)[0];
		if (this.#eldest?.beside === profileId) return this.#eldest.entry;
		throw new NotKnown([], profileId);
	}

	enter(profileId: string, member: Member): void {
		this.#size++;
		this.#put(profileId, member);
		// Not while a decision waits to be stored: whoever it is about must still be known then.
		if (this.#known.size > MOST_KNOWN && this.#size > MOST_KNOWN) this.#forget();
	}

	part(profileId: string): void {
		this.#size--;
		this.#known.set(profileId, null);
		this.#staff.delete(profileId);
		this.#eldest = undefined;
	}

	setRole(profileId: string, role: MemberRole): void {
		const member = this.#known.get(profileId);
		if (!member) return;
		member.role = role;
		this.#put(profileId, member);
	}

	/** Takes what was read from the store since `generation`. What is known is newer; false: it may be out of date, read again. */
	learn(profileIds: readonly string[], rows: ReadonlyMap<string, Member>, generation: number): boolean {
		if (generation !== this.#generation) return false;
		for (const id of profileIds) if (this.#known.get(id) === undefined) this.#known.set(id, rows.get(id) ?? null);
		return true;
	}

	learnEldest(beside: string, entry: Entry): void {
		const [profileId, member] = entry;
		if (this.#known.get(profileId) === undefined) this.#known.set(profileId, member);
		this.#eldest = { beside, entry };
	}

	#put(profileId: string, member: Member): void {
		this.#known.set(profileId, member);
		if (member.role === "member") this.#staff.delete(profileId);
		else this.#staff.set(profileId, member);
	}

	#forget(): void {
		this.#known = new Map(this.#staff);
		this.#complete = false;
		this.#eldest = undefined;
		this.#generation++;
	}
}
