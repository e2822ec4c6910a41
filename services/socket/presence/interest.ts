// Who wants to know who is here: for each socket the profiles it follows, because it asked for them or for a group they are
// in. Groups change while they are followed, so their rooms are listened to: who joins is followed, who leaves no longer.
import type { RoomBus, RoomFrame, RoomSubscription } from "../../../mixins/rooms.ts";
import type { PresenceEntry } from "../../contracts/presence.ts";
import { isRemoval } from "../../contracts/rooms.ts";
import type { Signal } from "../../contracts/socket.ts";
import { groupRoom } from "../rooms/name.ts";

/** A socket as this file sees it. */
export interface Follower {
	readonly id: string;
	readonly profileId: string;
	slow(): boolean;
	send(event: "signal", signal: Signal): void;
}

/** The profiles a socket asked for by their ids, beside its groups. */
const BY_ID = "";
/** Groups one socket follows; the one followed first goes when there are more. */
const MOST_GROUPS = 64;

interface Group {
	readonly followers: Set<Follower>;
	readonly subscription: RoomSubscription;
	/** How far its log was heard; 0 before anything was. */
	seq: number;
	/** Its members were asked for since it is listened to: only what comes after `seq` may be missed. */
	sure: boolean;
	/** While its members are asked for: who joined (true) or left since. */
	changes: Map<string, boolean> | undefined;
}

interface Followed {
	/** Ids by the group they were found in. */
	sources: Map<string, Set<string>>;
	/** Groups of which a sample is followed: who joins is not in it. */
	readonly sampled: Set<string>;
	/** While an answer is under way: what changed meanwhile. */
	held: Map<string, PresenceEntry> | undefined;
	answering: number;
	/** Who left one of the groups while an answer was under way: it may still name them. */
	readonly left: Set<string>;
	/** What the socket was told of each profile last: the same again is no news. */
	readonly told: Map<string, PresenceEntry["status"]>;
}

export class Interest {
	readonly #bus: RoomBus;
	readonly #followed = new Map<Follower, Followed>();
	readonly #followers = new Map<string, Set<Follower>>();
	readonly #groups = new Map<string, Group>();
	readonly #apart: (profileId: string, other: string) => boolean;
	/** What is known of these profiles is not what a socket must be told: ask. */
	onDoubt: ((profileIds: Iterable<string>) => void) | undefined;
	/** Who is in this group is not known for sure any more: something of its log did not come. */
	onMissed: ((groupId: string) => void) | undefined;

	/** @param apart has one of the two blocked the other? Then each is offline to the other. */
	constructor(bus: RoomBus, apart: (profileId: string, other: string) => boolean = () => false) {
		this.#bus = bus;
		this.#apart = apart;
	}

	/** Sockets that follow somebody, for tests and metrics. */
	get size(): number {
		return this.#followed.size;
	}

	/** Everybody whom somebody here follows. */
	profiles(): string[] {
		return [...this.#followers.keys()];
	}

	/**
	 * Begins an answer: changes that are heard from now on wait for it. Call what it returns when the answer is out; they go
	 * out then, unless the answer said so already.
	 */
	begin(follower: Follower): (answered?: PresenceEntry[]) => void {
		const followed = this.#of(follower);
		followed.answering++;
		followed.held ??= new Map();
		return (answered = []) => {
			followed.answering--;
			for (const { profileId, status } of this.shown(follower, answered)) if (status !== "unknown") followed.told.set(profileId, status);
			if (followed.answering > 0 || !followed.held) return;
			followed.left.clear();
			const held = [...followed.held.values()];
			followed.held = undefined;
			if (this.#followed.get(follower) !== followed) return;
			if (followed.sources.size === 0) this.#followed.delete(follower);
			else this.tell(follower, held);
		};
	}

	/** How these are to a socket's owner. */
	shown(follower: Follower, entries: readonly PresenceEntry[]): PresenceEntry[] {
		return entries.map((entry) =>
			entry.status !== "unknown" && this.#apart(follower.profileId, entry.profileId)
				? { profileId: entry.profileId, status: "offline", lastSeen: null }
				: entry,
		);
	}

	/** These sockets of one profile may hear of others now, or no longer; undefined: nobody knows of whom. */
	apartChanged(sockets: Iterable<Follower>, others: ReadonlySet<string> | undefined): void {
		const back = new Set<string>();
		for (const follower of sockets) {
			const followed = [...(this.#followed.get(follower)?.sources.values() ?? [])];
			for (const other of others ?? followed.flatMap((ids) => [...ids])) {
				if (!this.#followers.get(other)?.has(follower)) continue;
				if (this.#apart(follower.profileId, other)) this.tell(follower, [{ profileId: other, status: "offline", lastSeen: null }]);
				else back.add(other);
			}
		}
		if (back.size > 0) this.onDoubt?.(back);
	}

	followProfiles(follower: Follower, ids: readonly string[]): void {
		this.#replace(follower, BY_ID, ids);
	}

	/** Listens to the group's room; call it before the members are asked for, then `setMembers`. */
	followGroup(follower: Follower, groupId: string): void {
		const followed = this.#of(follower);
		if (followed.sources.has(groupId)) return;
		const groups = [...followed.sources.keys()].filter((source) => source !== BY_ID);
		if (groups.length >= MOST_GROUPS) this.unfollowGroup(follower, groups[0] as string);
		followed.sources.set(groupId, new Set());
		let group = this.#groups.get(groupId);
		if (!group) {
			const subscription = this.#bus.subscribe(groupRoom(groupId), {
				frame: (frame) => this.#membersChanged(groupId, frame),
				signal() {},
				evict: (profileId) => this.#left(groupId, profileId),
				head: (head) => this.remind(groupId, head),
			});
			group = { followers: new Set(), subscription, seq: 0, sure: false, changes: undefined };
			this.#groups.set(groupId, group);
		}
		group.followers.add(follower);
	}

	/** Resolves when no change of the group's members is missed any more. */
	async listening(groupId: string): Promise<void> {
		await this.#groups.get(groupId)?.subscription.ready;
	}

	/** Adds the members, or a sample of them, to those who joined meanwhile. False where the socket does not follow the group any more. */
	setMembers(follower: Follower, groupId: string, ids: readonly string[], sample = false): boolean {
		const followed = this.#followed.get(follower);
		const joined = followed?.sources.get(groupId);
		if (!followed || !joined) return false;
		if (sample) followed.sampled.add(groupId);
		else followed.sampled.delete(groupId);
		this.#replace(follower, groupId, [...joined, ...ids.filter((id) => !followed.left.has(`${groupId} ${id}`))]);
		return true;
	}

	/** Groups that somebody here follows. */
	groups(): string[] {
		return [...this.#groups.keys()];
	}

	followersOf(groupId: string): readonly Follower[] {
		return [...(this.#groups.get(groupId)?.followers ?? [])];
	}

	/** The group's log is known to end at `head`; 0 where there is none. */
	remind(groupId: string, head: number): void {
		const group = this.#groups.get(groupId);
		if (!group || (group.sure && head > 0 && head <= group.seq)) return;
		group.seq = Math.max(group.seq, head);
		this.onMissed?.(groupId);
	}

	/** Members of the group are asked for anew: about these, who follow it or are followed because of it. */
	beginRoll(groupId: string): string[] {
		const group = this.#groups.get(groupId);
		if (!group) return [];
		group.changes = new Map();
		const sources = [...group.followers].map((follower) => this.#followed.get(follower)?.sources.get(groupId));
		return [...new Set([...[...group.followers].map(({ profileId }) => profileId), ...sources.flatMap((ids) => [...(ids ?? [])])])];
	}

	/**
	 * Who of them is a member, as it was since `beginRoll`: whoever is not, follows the group no longer, and is not followed. Who has come
	 * since was not asked about, and stays.
	 * @param about what `beginRoll` answered
	 * @param whole these are all members that there are: whoever joined is followed from now on
	 */
	endRoll(groupId: string, about: readonly string[], members: Iterable<string>, whole: boolean): void {
		const group = this.#groups.get(groupId);
		if (!group) return;
		const roll = new Set(members);
		const asked = new Set(about);
		for (const [id, isMember] of group.changes ?? []) {
			if (isMember) roll.add(id);
			else roll.delete(id);
		}
		group.sure = true;
		const joined = new Set<string>();
		for (const follower of [...group.followers]) {
			if (asked.has(follower.profileId) && !roll.has(follower.profileId)) {
				this.unfollowGroup(follower, groupId);
				continue;
			}
			const followed = this.#of(follower);
			const before = followed.sources.get(groupId) ?? new Set<string>();
			const after = whole && !followed.sampled.has(groupId) ? new Set(roll) : before.intersection(roll);
			for (const id of before) if (!asked.has(id) && group.changes?.get(id) !== false) after.add(id);
			for (const id of after) if (!before.has(id)) joined.add(id);
			// An answer that is under way may name them as members yet.
			for (const id of before) if (!after.has(id) && followed.answering > 0) followed.left.add(`${groupId} ${id}`);
			this.#replace(follower, groupId, [...after]);
		}
		group.changes = undefined;
		if (joined.size > 0) this.onDoubt?.(joined);
	}

	unfollowGroup(follower: Follower, groupId: string): void {
		const followed = this.#followed.get(follower);
		if (!followed?.sources.has(groupId)) return;
		this.#replace(follower, groupId, []);
		followed.sources.delete(groupId);
		followed.sampled.delete(groupId);
		if (followed.sources.size === 0 && followed.answering === 0) this.#followed.delete(follower);
		const group = this.#groups.get(groupId);
		group?.followers.delete(follower);
		if (group?.followers.size === 0) {
			this.#groups.delete(groupId);
			group.subscription.close();
		}
	}

	/** The socket is gone. */
	forget(follower: Follower): void {
		const followed = this.#followed.get(follower);
		if (!followed) return;
		for (const source of [...followed.sources.keys()]) {
			if (source === BY_ID) this.#replace(follower, BY_ID, []);
			else this.unfollowGroup(follower, source);
		}
		this.#followed.delete(follower);
	}

	/** Somebody came, went or changed: tells each socket what it follows of it, once. */
	changed(profiles: readonly PresenceEntry[]): void {
		const news = new Map<Follower, PresenceEntry[]>();
		for (const entry of profiles) {
			for (const follower of this.#followers.get(entry.profileId) ?? []) {
				const list = news.get(follower) ?? [];
				list.push(entry);
				news.set(follower, list);
			}
		}
		for (const [follower, list] of news) this.tell(follower, list);
	}

	/** Tells one socket what it has not been told yet; while an answer is under way, after it. */
	tell(follower: Follower, entries: readonly PresenceEntry[]): void {
		const followed = this.#followed.get(follower);
		if (!followed) return;
		const { held, told } = followed;
		if (held) for (const entry of entries) held.set(entry.profileId, entry);
		if (held || follower.slow()) return;
		// Who was never spoken of is offline.
		const news = this.shown(follower, entries).filter(({ profileId, status }) => (told.get(profileId) ?? "offline") !== status);
		for (const { profileId, status } of news) told.set(profileId, status);
		if (news.length > 0) follower.send("signal", { type: "presence", profiles: news });
	}

	#membersChanged(groupId: string, frame: RoomFrame): void {
		const group = this.#groups.get(groupId);
		if (!group) return;
		const first = frame.events[0]?.seq ?? 0;
		const missed = group.seq > 0 && first > group.seq + 1;
		group.seq = Math.max(group.seq, frame.events.at(-1)?.seq ?? 0);
		if (missed) this.onMissed?.(groupId);
		for (const event of frame.events) {
			if (event.type !== "member" || event.profileId === undefined) continue;
			if (event.action === "joined") this.#joined(groupId, event.profileId, [...group.followers]);
			else if (isRemoval(event.action)) this.#left(groupId, event.profileId);
		}
	}

	#joined(groupId: string, profileId: string, all: Follower[]): void {
		this.#groups.get(groupId)?.changes?.set(profileId, true);
		const followers = all.filter((follower) => !this.#followed.get(follower)?.sampled.has(groupId));
		if (followers.length === 0) return;
		for (const follower of followers) {
			const followed = this.#followed.get(follower);
			followed?.left.delete(`${groupId} ${profileId}`);
			followed?.sources.get(groupId)?.add(profileId);
			this.#index(profileId, follower);
		}
		// How they are.
		this.onDoubt?.([profileId]);
	}

	/** @param profileId null: everybody */
	#left(groupId: string, profileId: string | null): void {
		if (profileId !== null) this.#groups.get(groupId)?.changes?.set(profileId, false);
		for (const follower of [...(this.#groups.get(groupId)?.followers ?? [])]) {
			if (profileId === null || follower.profileId === profileId) this.unfollowGroup(follower, groupId);
			else this.#remove(follower, groupId, profileId);
		}
	}

	#of(follower: Follower): Followed {
		let followed = this.#followed.get(follower);
		if (!followed) {
			followed = { sources: new Map(), sampled: new Set(), held: undefined, answering: 0, left: new Set(), told: new Map() };
			this.#followed.set(follower, followed);
		}
		return followed;
	}

	#replace(follower: Follower, source: string, ids: readonly string[]): void {
		const followed = this.#of(follower);
		const before = followed.sources.get(source) ?? new Set<string>();
		const after = new Set(ids);
		followed.sources.set(source, after);
		for (const id of after) this.#index(id, follower);
		for (const id of before) if (!after.has(id)) this.#unindex(id, follower, followed);
	}

	#remove(follower: Follower, source: string, profileId: string): void {
		const followed = this.#followed.get(follower);
		if (followed && followed.answering > 0) followed.left.add(`${source} ${profileId}`);
		if (followed?.sources.get(source)?.delete(profileId)) this.#unindex(profileId, follower, followed);
	}

	#index(profileId: string, follower: Follower): void {
		const followers = this.#followers.get(profileId) ?? new Set();
		followers.add(follower);
		this.#followers.set(profileId, followers);
	}

	/** Unless another source of the same socket still has the profile. */
	#unindex(profileId: string, follower: Follower, followed: Followed): void {
		for (const ids of followed.sources.values()) if (ids.has(profileId)) return;
		followed.told.delete(profileId);
		const followers = this.#followers.get(profileId);
		followers?.delete(follower);
		if (followers?.size === 0) this.#followers.delete(profileId);
	}
}
