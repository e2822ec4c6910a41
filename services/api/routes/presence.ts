// Who is here; and each profile's inbox.
import type { Route } from "../route.ts";

export const presence: readonly Route[] = [
	{ method: "GET", path: "/api/presence", action: "presence.lookup", access: "signed-in" },
	{ method: "GET", path: "/api/groups/:groupId/presence", action: "presence.group", access: "signed-in" },

	{ method: "GET", path: "/api/notifications", action: "notifications.list", access: "signed-in" },
	{ method: "GET", path: "/api/notifications/unread-count", action: "notifications.unreadCount", access: "signed-in" },
	{ method: "POST", path: "/api/notifications/read-all", action: "notifications.readAll", access: "signed-in" },
	{ method: "GET", path: "/api/notifications/preferences", action: "notifications.preferences", access: "signed-in" },
	{ method: "PUT", path: "/api/notifications/preferences", action: "notifications.savePreferences", access: "signed-in" },
	{ method: "GET", path: "/api/notifications/unsubscribe", action: "notifications.subscription", access: "anyone" },
	// Mail programs post a form that says nothing new (RFC 8058): it is not looked at.
	{
		method: "POST",
		path: "/api/notifications/unsubscribe",
		action: "notifications.unsubscribe",
		access: "anyone",
		query: ["token"],
		raw: ["content-type"],
	},
	{ method: "GET", path: "/api/notifications/push-key", action: "devices.pushKey", access: "anyone", cache: "public, max-age=300" },
	{ method: "GET", path: "/api/notifications/devices", action: "devices.list", access: "signed-in" },
	{ method: "POST", path: "/api/notifications/devices", action: "devices.register", access: "signed-in", status: 201 },
	{ method: "DELETE", path: "/api/notifications/devices/:token", action: "devices.remove", access: "signed-in", status: 204 },
	{ method: "POST", path: "/api/admin/notifications", action: "broadcasts.send", access: "notifications:send", status: 202 },
	{ method: "POST", path: "/api/admin/notifications/broadcast", action: "broadcasts.broadcast", access: "notifications:send", status: 202 },
	{ method: "PATCH", path: "/api/notifications/:notificationId/read", action: "notifications.read", access: "signed-in" },
	{ method: "DELETE", path: "/api/notifications/:notificationId", action: "notifications.remove", access: "signed-in", status: 204 },
];
