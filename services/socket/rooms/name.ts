// Names of rooms, `group:<uuid>`, as clients write them and as the rest of the house knows them.
import { roomAliases, roomHeads, roomOwners } from "../../contracts/socket.ts";

export interface RoomName {
	/** The name the bus and the logs use. */
	name: string;
	/** The action that opens such a room. */
	owner: (typeof roomOwners)[keyof typeof roomOwners];
	/** The action that says how far such rooms are. */
	heads: (typeof roomHeads)[keyof typeof roomHeads];
	key: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Undefined where there can be no such room. */
export function parseRoom(text: string): RoomName | undefined {
	const [word = "", ...rest] = text.split(":");
	const key = rest.join(":").toLowerCase();
	const kind = Object.hasOwn(roomAliases, word) ? roomAliases[word as keyof typeof roomAliases] : word;
	if (!Object.hasOwn(roomOwners, kind) || !UUID.test(key)) return undefined;
	const known = kind as keyof typeof roomOwners;
	return { name: `${kind}:${key}`, owner: roomOwners[known], heads: roomHeads[known], key };
}

export const groupRoom = (groupId: string): string => `group:${groupId}`;
export const profileRoom = (profileId: string): string => `profile:${profileId}`;
