// The events that are the door's own and not about rooms: typing, an edit, presence, a newer token.
import { tokens } from "../../mixins/token/tokens.ts";
import { problem } from "../contracts/errors.ts";
import type { GroupPresence, PresenceEntry } from "../contracts/presence.ts";
import { LARGE_GROUP } from "../contracts/presence.ts";
import { mayConnect } from "./access.ts";
import type { Asked, Run } from "./handler.ts";
import { groupRoom } from "./rooms/name.ts";

const TYPING_EVERY = 2_000;
/** As many profiles as the presence node is asked for at once. */
const LOOKUP = 500;

export const typing: Run<"typing"> = ({ gateway, link }, { groupId }, answer) => {
	const room = groupRoom(groupId);
	if (!gateway.gate.has(link, room)) throw problem("not-member", { detail: "This socket has not joined the group's room." });
	const now = performance.now();
	// More often than that says nothing new: agreed to, and dropped.
	if (now - link.typedAt >= TYPING_EVERY) {
		link.typedAt = now;
		gateway.bus.signal(room, { type: "typing", groupId, profileId: link.profileId }, link.id, gateway.gate.seqOf(link, room));
	}
	answer({});
};

async function lookup({ gateway, link, requestId }: Asked, ids: readonly string[]): Promise<PresenceEntry[]> {
	const entries: PresenceEntry[] = [];
	for (let from = 0; from < ids.length; from += LOOKUP) {
		const { data } = await gateway.call(link, "presence.lookup", { ids: ids.slice(from, from + LOOKUP) }, requestId);
		entries.push(...data);
	}
	// They are told as soon as it can be said.
	gateway.news.doubt(entries.filter(({ status }) => status === "unknown").map(({ profileId }) => profileId));
	return entries;
}

export const presenceSubscribe: Run<"presence:subscribe"> = async (asked, { groupId, profileIds }, answer) => {
	const { gateway, link, requestId } = asked;
	if ((groupId === undefined) === (profileIds === undefined)) throw problem("validation", { detail: "Give either groupId or profileIds." });
	const { interest } = gateway;
	// Oneself is among those who are here, also right after the connect.
	await Promise.all([gateway.presence.heard(link.connectionId), gateway.apart.known(link.profileId)]);
	// Followed first and asked for then: what changes in between is held back until the answer is out.
	const done = interest.begin(link);
	let entries: PresenceEntry[] = [];
	let group: GroupPresence | undefined;
	try {
		if (groupId !== undefined) {
			interest.followGroup(link, groupId);
			try {
				await interest.listening(groupId);
				const { profileIds, memberCount } = await gateway.call(link, "groups.memberIds", { groupId }, requestId);
				// Of a large group a sample is told, and followed.
				if (memberCount > LARGE_GROUP) group = await gateway.call(link, "presence.group", { groupId }, requestId);
				const members = group ? group.online.map(({ profileId }) => profileId) : profileIds;
				if (!interest.setMembers(link, groupId, members, group !== undefined)) throw problem("not-member");
				entries = group?.online ?? (await lookup(asked, members));
			} catch (error) {
				interest.unfollowGroup(link, groupId);
				throw error;
			}
		} else {
			const ids = [...new Set(profileIds)];
			interest.followProfiles(link, ids);
			entries = await lookup(asked, ids);
		}
		// A block may have begun meanwhile.
		const online = interest.shown(link, entries).filter(({ status }) => status === "online" || status === "away");
		answer({ online, ...(group ? { group: { ...group, online } } : {}) });
	} finally {
		done(entries);
		if (!gateway.links.has(link)) interest.forget(link);
	}
};

export const presenceSet: Run<"presence:set"> = async ({ gateway, link, requestId }, { status }, answer) => {
	await gateway.presence.heard(link.connectionId);
	await gateway.call(link, "presence.set", { connectionId: link.connectionId, status }, requestId);
	answer({});
};

export const focus: Run<"focus"> = async ({ gateway, link, requestId }, { room }, answer) => {
	await gateway.presence.heard(link.connectionId);
	// Kept before it is said: a node that forgets everything meanwhile hears it with all the rest.
	const before = gateway.presence.looks(link.connectionId, room);
	try {
		await gateway.call(link, "presence.focus", { connectionId: link.connectionId, room }, requestId);
	} catch (error) {
		gateway.presence.looks(link.connectionId, before ?? null);
		throw error;
	}
	answer({});
};

/** The seq of the edit itself, which is an event of its own. */
export const messageEdit: Run<"message:edit"> = async ({ gateway, link, requestId }, payload, answer) => {
	const { eventSeq } = await gateway.call(link, "messages.edit", payload, requestId);
	answer({ room: groupRoom(payload.groupId), seq: eventSeq });
};

export const tokenRefresh: Run<"token:refresh"> = async ({ gateway, link }, { token }, answer) => {
	const { exp, kid, ...principal } = await tokens(gateway.broker).verify(token);
	if (principal.accountId !== link.principal.accountId || principal.profileId !== link.profileId) {
		throw problem("forbidden", { detail: "The token is another profile's." });
	}
	mayConnect(principal);
	if (link.ended) throw problem("invalid-token");
	gateway.renew(link, Object.freeze(principal), exp * 1000, kid);
	answer({ expiresIn: Math.max(0, Math.floor(exp - Date.now() / 1000)) });
};
