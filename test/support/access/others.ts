// The process itself, points, presence.
import { nodeNames } from "../../../services/contracts/index.ts";
import type { Cases } from "./case.ts";

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

	"GET /api/presence": { any: (_me, other) => ({ ids: other.profileId }) },
};
