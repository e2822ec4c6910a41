// Groups, invites, messages and the log.
import type { Route } from "../route.ts";

export const groups: readonly Route[] = [
	{ method: "GET", path: "/api/groups", action: "groups.mine", access: "signed-in" },
	{ method: "POST", path: "/api/groups", action: "groups.create", access: "signed-in", status: 201, location: "/api/groups/{id}" },
	{ method: "GET", path: "/api/groups/public", action: "groups.public", access: "signed-in" },
	{ method: "GET", path: "/api/groups/:groupId", action: "groups.show", access: "signed-in" },
	{ method: "PATCH", path: "/api/groups/:groupId", action: "groups.edit", access: "signed-in" },
	{ method: "DELETE", path: "/api/groups/:groupId", action: "groups.remove", access: "signed-in", status: 204 },
	{ method: "POST", path: "/api/groups/:groupId/join", action: "groups.join", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/leave", action: "groups.leave", access: "signed-in", status: 204 },
	{ method: "GET", path: "/api/groups/:groupId/members", action: "groups.members", access: "signed-in" },
	{ method: "PATCH", path: "/api/groups/:groupId/members/:profileId", action: "groups.setRole", access: "signed-in" },
	{ method: "DELETE", path: "/api/groups/:groupId/members/:profileId", action: "groups.kick", access: "signed-in", status: 204 },

	{ method: "PUT", path: "/api/groups/:groupId/mute", action: "groups.mute", access: "signed-in" },
	{ method: "DELETE", path: "/api/groups/:groupId/mute", action: "groups.unmute", access: "signed-in", status: 204 },

	// who asks to come in, and who may not
	{ method: "GET", path: "/api/groups/:groupId/requests", action: "requests.list", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/requests/:profileId/accept", action: "requests.accept", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/requests/:profileId/decline", action: "requests.decline", access: "signed-in" },
	{ method: "GET", path: "/api/groups/:groupId/bans", action: "bans.list", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/members/:profileId/ban", action: "bans.ban", access: "signed-in", status: 204 },
	{ method: "POST", path: "/api/groups/:groupId/members/:profileId/unban", action: "bans.unban", access: "signed-in", status: 204 },

	// two people alone
	{ method: "GET", path: "/api/direct/:profileId", action: "direct.open", access: "signed-in" },
	{ method: "GET", path: "/api/blocks", action: "blocks.list", access: "signed-in" },
	{ method: "PUT", path: "/api/blocks/:profileId", action: "blocks.add", access: "signed-in" },
	{ method: "DELETE", path: "/api/blocks/:profileId", action: "blocks.remove", access: "signed-in", status: 204 },

	// invites
	{ method: "GET", path: "/api/groups/:groupId/invites", action: "invites.ofGroup", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/invites", action: "invites.create", access: "signed-in", status: 201 },
	{ method: "DELETE", path: "/api/groups/:groupId/invites/:inviteId", action: "invites.revoke", access: "signed-in", status: 204 },
	{ method: "GET", path: "/api/invites", action: "invites.mine", access: "signed-in" },
	{ method: "POST", path: "/api/invites/accept", action: "invites.acceptByToken", access: "signed-in" },
	{ method: "POST", path: "/api/invites/decline", action: "invites.declineByToken", access: "signed-in" },
	{ method: "POST", path: "/api/invites/:inviteId/accept", action: "invites.accept", access: "signed-in" },
	{ method: "POST", path: "/api/invites/:inviteId/decline", action: "invites.decline", access: "signed-in" },

	// messages and the log
	{ method: "GET", path: "/api/groups/:groupId/messages", action: "messages.page", access: "signed-in" },
	{ method: "POST", path: "/api/groups/:groupId/messages", action: "messages.post", access: "signed-in", status: 201, replay: true },
	{ method: "GET", path: "/api/groups/:groupId/messages/:seq", action: "messages.show", access: "signed-in" },
	{ method: "PATCH", path: "/api/groups/:groupId/messages/:seq", action: "messages.edit", access: "signed-in" },
	{ method: "DELETE", path: "/api/groups/:groupId/messages/:seq", action: "messages.remove", access: "signed-in", status: 204 },
	{
		method: "PUT",
		path: "/api/groups/:groupId/messages/:seq/reactions/:emoji",
		action: "messages.react",
		access: "signed-in",
		fixed: { remove: false },
	},
	{
		method: "DELETE",
		path: "/api/groups/:groupId/messages/:seq/reactions/:emoji",
		action: "messages.react",
		access: "signed-in",
		status: 204,
		fixed: { remove: true },
	},
	{ method: "GET", path: "/api/groups/:groupId/events", action: "messages.events", access: "signed-in" },
	{ method: "PUT", path: "/api/groups/:groupId/read", action: "messages.read", access: "signed-in" },
	{ method: "GET", path: "/api/groups/:groupId/search", action: "messageSearch.inGroup", access: "signed-in" },
	{ method: "GET", path: "/api/messages/search", action: "messageSearch.everywhere", access: "signed-in" },

	// moderation
	{ method: "POST", path: "/api/groups/:groupId/messages/:seq/flag", action: "flags.raise", access: "signed-in", status: 201 },
	{ method: "GET", path: "/api/groups/:groupId/flags", action: "flags.ofGroup", access: "signed-in" },
	{
		method: "POST",
		path: "/api/groups/:groupId/flags/:flagId/resolve",
		action: "flags.settle",
		access: "signed-in",
		fixed: { state: "resolved" },
	},
	{
		method: "POST",
		path: "/api/groups/:groupId/flags/:flagId/dismiss",
		action: "flags.settle",
		access: "signed-in",
		fixed: { state: "dismissed" },
	},
	{ method: "GET", path: "/api/admin/flags", action: "flags.all", access: "groups:moderate" },
	{
		method: "POST",
		path: "/api/admin/flags/:flagId/resolve",
		action: "flags.settleAny",
		access: "groups:moderate",
		fixed: { state: "resolved" },
	},
	{
		method: "POST",
		path: "/api/admin/flags/:flagId/dismiss",
		action: "flags.settleAny",
		access: "groups:moderate",
		fixed: { state: "dismissed" },
	},
	{
		method: "DELETE",
		path: "/api/admin/groups/:groupId/messages/:seq",
		action: "flags.removeMessage",
		access: "groups:moderate",
		status: 204,
	},
];
