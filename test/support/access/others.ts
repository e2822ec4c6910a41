// The process itself, points, presence.
import { nodeNames } from "../../../services/contracts/index.ts";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Person } from "../client.ts";
import { is } from "../client.ts";
import { eventually } from "../eventually.ts";
import type { Case, Cases } from "./case.ts";

/** Somebody is invited, and told of it. */
async function notified(host: Person, guest: Person): Promise<string> {
	const group = is(await host.post("/api/groups", { name: "Menders", isPublic: false }), 201).body.id;
	const invite = is(await host.post(`/api/groups/${group}/invites`, { profileId: guest.profileId }), 201).body.id;
	return eventually(async () => {
		const { data } = is(await guest.get("/api/notifications"), 200).body as { data: { id: string; data: { inviteId?: string } }[] };
		return data.find((one) => one.data.inviteId === invite)?.id ?? assert.fail("not notified yet");
	});
}
const notification: Case = {
	own: async (me, other) => ({ notificationId: await notified(other, me) }),
	foreign: async (me, other) => ({ notificationId: await notified(me, other) }),
};

async function deviceOf(who: Person): Promise<string> {
	const token = randomUUID();
	is(await who.post("/api/notifications/devices", { kind: "android", token }), 201);
	return token;
}

export const others: Cases = {
	"GET /live": {},
	"GET /ready": {},
	"GET /api/openapi.json": {},
	"GET /api/asyncapi.json": {},
	...Object.fromEntries(nodeNames.map((node) => [`GET /api/${node}/health`, {}])),

	"GET /api/gamification/points/me": {},
	"GET /api/gamification/points/:profileId": {
		own: (me) => ({ profileId: me.profileId }),
		foreign: (_me, other) => ({ profileId: other.profileId }),
	},
	"GET /api/gamification/transactions/me": {},
	"GET /api/gamification/rules": {},

	"GET /api/notifications": {},
	"GET /api/notifications/unread-count": {},
	"POST /api/notifications/read-all": {},
	"GET /api/notifications/preferences": {},
	"PUT /api/notifications/preferences": { any: () => ({ digest: "hourly" }) },
	"PATCH /api/notifications/:notificationId/read": notification,
	"DELETE /api/notifications/:notificationId": notification,
	"GET /api/notifications/push-key": {},
	"GET /api/notifications/devices": {},
	"POST /api/notifications/devices": { any: () => ({ kind: "android", token: randomUUID() }) },
	"DELETE /api/notifications/devices/:token": {
		own: async (me) => ({ token: await deviceOf(me) }),
		foreign: async (_me, other) => ({ token: await deviceOf(other) }),
	},
	"POST /api/admin/notifications": { any: (_me, other) => ({ profileIds: [other.profileId], title: "Tonight", body: "we mend" }) },
	"POST /api/admin/notifications/broadcast": { any: () => ({ title: "Tonight", body: "we mend", role: "government" }) },
	"GET /api/notifications/unsubscribe": { any: () => ({ token: "x" }) },
	"POST /api/notifications/unsubscribe": {},

	"GET /api/presence": { any: (_me, other) => ({ ids: other.profileId }) },
};
