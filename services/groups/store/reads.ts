// What is read of groups and of their logs at once.
import type { Group } from "../../contracts/groups.ts";
import type { Target } from "../domain/messages.ts";
import type { GroupState } from "../domain/group.ts";
import type { MessageRow } from "./messages.ts";

/** A group of a list as it is stored: of an avatar the id, of a mute also one that is over. */
export type ListedGroup = Omit<Group, "avatar"> & { avatar: string | null };

/** Where groups and logs are in one database, by joins; else in two steps. */
export interface GroupReads {
	/** As the log left it: everything that comes of its events is written. */
	load(groupId: string): Promise<GroupState | null>;
	/** Groups of a profile, or public ones it is not in, newest first. */
	groupsOf(profileId: string, before: string | null, limit: number): Promise<ListedGroup[]>;
	publicGroups(profileId: string, before: string | null, limit: number): Promise<ListedGroup[]>;
	/** Messages of others after the mark that are not deleted. */
	countUnread(groupId: string, profileId: string, readSeq: number): Promise<number>;
	/** Messages in their present state: after a seq ascending, or before one descending. */
	messagesFrom(groupId: string, viewer: string, from: From, limit: number): Promise<MessageRow[]>;
	findMessage(groupId: string, viewer: string, seq: number): Promise<MessageRow | undefined>;
	/** The same of messages of several groups, in any order; places where none is are left out. */
	messagesAt(viewer: string, places: readonly { groupId: string; seq: number }[]): Promise<(MessageRow & { groupId: string })[]>;
	findTarget(groupId: string, seq: number): Promise<Target | undefined>;
}

export type From = { after: number } | { before: number | null };
