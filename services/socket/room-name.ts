// Names of rooms, `group:<uuid>`, as clients write them and as the rest of the house knows them.
import { roomAliases, roomOwners } from "../contracts/socket.ts";

export interface RoomName {
	/** The name the bus and the logs use. */
	name: string;
	/** The action that opens such a room. */
	owner: (typeof roomOwners)[keyof typeof roomOwners];
	key: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Undefined where there can be no such room. */
export function parseRoom(text: string): RoomName | undefined {
	const [word = "", ...rest] = text.split(":");
	const key = rest.join(":").toLowerCase();
	const kind = Object.hasOwn(roomAliases, word) ? roomAliases[word as keyof typeof roomAliases] : word;
	if (!Object.hasOwn(roomOwners, kind) || !UUID.test(key)) return undefined;
	return { name: `${kind}:${key}`, owner: roomOwners[kind as keyof typeof roomOwners], key };
}

export const groupRoom = (groupId: string): string => `group:${groupId}`;
export const profileRoom = (profileId: string): string => `profile:${profileId}`;
