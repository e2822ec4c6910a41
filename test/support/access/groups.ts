// Groups, invites, messages and the log.
import { randomUUID } from "node:crypto";
import type { Person } from "../client.ts";
import { is, person } from "../client.ts";
import type { Case, Cases, Make, Values } from "./case.ts";

const group = async (of: Person, isPublic: boolean): Promise<string> =>
	is(await of.post("/api/groups", { name: "Menders", isPublic }), 201).body.id;

/** The same asked of one's own group, of somebody's public one, and of a private one that one is not in. */
const inGroups = (more: (groupId: string, host: Person, url: string) => Values | Promise<Values> = () => ({})): Case => {
	const of = (host: Person, isPublic: boolean, url: string) => async () => {
		const groupId = await group(host, isPublic);
		return { groupId, ...(await more(groupId, host, url)) };
	};
	return {
		own: (me, _other, url) => of(me, true, url)(),
		"foreign, public": (_me, other, url) => of(other, true, url)(),
		"foreign, private": (_me, other, url) => of(other, false, url)(),
	};
};

/** Somebody who is in the group. */
const member = async (groupId: string, host: Person, url: string): Promise<Values> => {
	const guest = await someone(url);
	const { body } = is(await host.post(`/api/groups/${groupId}/invites`, { profileId: guest.profileId }), 201);
	is(await guest.post(`/api/invites/${body.id}/accept`), 200);
	return { profileId: guest.profileId };
};
const posted = async (groupId: string, host: Person, _url: string): Promise<{ seq: number }> => ({
	seq: is(await host.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), content: "once" }), 201).body.seq,
});

/** Somebody asks to come into one's own private group, or somebody else's. */
const asked: Case = {
	own: async (me, _other, url) => asking(await group(me, false), url),
	foreign: async (_me, other, url) => asking(await group(other, false), url),
};
async function asking(groupId: string, url: string): Promise<Values> {
	const guest = await someone(url);
	is(await guest.post(`/api/groups/${groupId}/join`), 200);
	return { groupId, profileId: guest.profileId };
}
const postedByGuest = async (groupId: string, host: Person, url: string): Promise<{ seq: number }> => {
	const guest = await someone(url);
	const { body } = is(await host.post(`/api/groups/${groupId}/invites`, { profileId: guest.profileId }), 201);
	is(await guest.post(`/api/invites/${body.id}/accept`), 200);
	return posted(groupId, guest, url);
};
/** A report by the host, about what somebody else has said. */
const flagged = async (groupId: string, host: Person, url: string): Promise<Values> => {
	const { seq } = await postedByGuest(groupId, host, url);
	const { body } = is(await host.post(`/api/groups/${groupId}/messages/${seq}/flag`, { reason: "Rude." }), 201);
	return { flagId: body.id };
};

// Each is invited or thrown out once.
let guests = 0;
const someone = (url: string) => person(url, `Guest ${guests++}`);

const invite = async (host: Person, guest: Person): Promise<{ id: string; token: string }> =>
	is(await host.post(`/api/groups/${await group(host, false)}/invites`, { profileId: guest.profileId }), 201).body;
const invited = (valuesOf: (made: { id: string; token: string }) => Values): Case => {
	const own: Make = async (me, other) => valuesOf(await invite(other, me));
	return { own, foreign: async (me, other) => valuesOf(await invite(me, other)) };
};

export const groups: Cases = {
	"GET /api/groups": {},
	"POST /api/groups": { any: () => ({ name: "Menders", isPublic: true }) },
	"GET /api/groups/public": {},
	"GET /api/groups/:groupId": inGroups(),
	"PATCH /api/groups/:groupId": inGroups(() => ({ name: "Menders of Porto" })),
	"DELETE /api/groups/:groupId": inGroups(),
	"POST /api/groups/:groupId/join": inGroups(),
	"POST /api/groups/:groupId/leave": inGroups(),
	"GET /api/groups/:groupId/presence": inGroups(),
	"GET /api/groups/:groupId/members": inGroups(),
	"PATCH /api/groups/:groupId/members/:profileId": inGroups(async (...where) => ({ ...(await member(...where)), role: "moderator" })),
	"DELETE /api/groups/:groupId/members/:profileId": inGroups(member),

	"PUT /api/groups/:groupId/mute": inGroups(),
	"DELETE /api/groups/:groupId/mute": inGroups(),

	"GET /api/groups/:groupId/requests": inGroups(),
	"POST /api/groups/:groupId/requests/:profileId/accept": asked,
	"POST /api/groups/:groupId/requests/:profileId/decline": asked,
	"GET /api/groups/:groupId/bans": inGroups(),
	"POST /api/groups/:groupId/members/:profileId/ban": inGroups(member),
	"POST /api/groups/:groupId/members/:profileId/unban": inGroups(async (_group, _host, url) => ({
		profileId: (await someone(url)).profileId,
	})),

	"GET /api/direct/:profileId": {
		foreign: async (_me, _other, url) => ({ profileId: (await someone(url)).profileId }),
	},
	"GET /api/blocks": {},
	"PUT /api/blocks/:profileId": { foreign: async (_me, _other, url) => ({ profileId: (await someone(url)).profileId }) },
	"DELETE /api/blocks/:profileId": { foreign: async (_me, _other, url) => ({ profileId: (await someone(url)).profileId }) },

	"GET /api/groups/:groupId/invites": inGroups(),
	"DELETE /api/groups/:groupId/invites/:inviteId": inGroups(async (groupId, host, url) => {
		const { profileId } = await someone(url);
		return { inviteId: is(await host.post(`/api/groups/${groupId}/invites`, { profileId }), 201).body.id };
	}),
	"POST /api/groups/:groupId/invites": inGroups(async (_group, _host, url) => ({ profileId: (await someone(url)).profileId })),
	"GET /api/invites": {},
	"POST /api/invites/accept": invited(({ token }) => ({ token })),
	"POST /api/invites/decline": invited(({ token }) => ({ token })),
	"POST /api/invites/:inviteId/accept": invited(({ id }) => ({ inviteId: id })),
	"POST /api/invites/:inviteId/decline": invited(({ id }) => ({ inviteId: id })),

	"GET /api/groups/:groupId/messages": inGroups(),
	"POST /api/groups/:groupId/messages": inGroups(() => ({ clientId: randomUUID(), kind: "text", content: "Zips" })),
	"GET /api/groups/:groupId/messages/:seq": inGroups(posted),
	"PATCH /api/groups/:groupId/messages/:seq": inGroups(async (...where) => ({ ...(await posted(...where)), content: "Zips and buttons" })),
	"DELETE /api/groups/:groupId/messages/:seq": inGroups(posted),
	"PUT /api/groups/:groupId/messages/:seq/reactions/:emoji": inGroups(async (...where) => ({ ...(await posted(...where)), emoji: "♻" })),
	"DELETE /api/groups/:groupId/messages/:seq/reactions/:emoji": inGroups(async (...where) => ({ ...(await posted(...where)), emoji: "♻" })),
	"GET /api/groups/:groupId/events": inGroups(),
	"PUT /api/groups/:groupId/read": inGroups(posted),
	"GET /api/groups/:groupId/search": inGroups(() => ({ q: "zips" })),
	"GET /api/messages/search": { any: () => ({ q: "zips" }) },

	"POST /api/groups/:groupId/messages/:seq/flag": inGroups(async (...where) => ({ ...(await postedByGuest(...where)), reason: "Rude." })),
	"GET /api/groups/:groupId/flags": inGroups(),
	"POST /api/groups/:groupId/flags/:flagId/resolve": inGroups(flagged),
	"POST /api/groups/:groupId/flags/:flagId/dismiss": inGroups(flagged),
	"GET /api/admin/flags": {},
	"POST /api/admin/flags/:flagId/resolve": { any: async (_me, other, url) => flagged(await group(other, false), other, url) },
	"POST /api/admin/flags/:flagId/dismiss": { any: async (_me, other, url) => flagged(await group(other, false), other, url) },
	"DELETE /api/admin/groups/:groupId/messages/:seq": inGroups(posted),
};
