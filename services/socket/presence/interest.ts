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
	readonly #groups = new Map<string, { followers: Set<Follower>; subscription: RoomSubscription }>();
	/** Asked for the state of somebody who joined a group: for the followers of that group. */
	onJoined: ((groupId: string, profileId: string, followers: Follower[]) => void) | undefined;

	constructor(bus: RoomBus) {
		this.#bus = bus;
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
			for (const { profileId, status } of answered) if (status !== "unknown") followed.told.set(profileId, status);
			if (followed.answering > 0 || !followed.held) return;
			followed.left.clear();
			const held = [...followed.held.values()];
			followed.held = undefined;
			if (this.#followed.get(follower) !== followed) return;
			if (followed.sources.size === 0) this.#followed.delete(follower);
			else this.tell(follower, held);
		};
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
				head() {},
			});
			group = { followers: new Set(), subscription };
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
		const news = entries.filter(({ profileId, status }) => (told.get(profileId) ?? "offline") !== status);
		for (const { profileId, status } of news) told.set(profileId, status);
		if (news.length > 0) follower.send("signal", { type: "presence", profiles: news });
	}

	#membersChanged(groupId: string, frame: RoomFrame): void {
		const group = this.#groups.get(groupId);
		if (!group) return;
		for (const event of frame.events) {
			if (event.type !== "member" || event.profileId === undefined) continue;
			if (event.action === "joined") this.#joined(groupId, event.profileId, [...group.followers]);
			else if (isRemoval(event.action)) this.#left(groupId, event.profileId);
		}
	}

	#joined(groupId: string, profileId: string, all: Follower[]): void {
		const followers = all.filter((follower) => !this.#followed.get(follower)?.sampled.has(groupId));
		if (followers.length === 0) return;
		for (const follower of followers) {
			const followed = this.#followed.get(follower);
			followed?.left.delete(`${groupId} ${profileId}`);
			followed?.sources.get(groupId)?.add(profileId);
			this.#index(profileId, follower);
		}
		this.onJoined?.(groupId, profileId, followers);
	}

	/** @param profileId null: everybody */
	#left(groupId: string, profileId: string | null): void {
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
