// Points and what earns them.
import type { Route } from "../route.ts";

export const gamification: readonly Route[] = [
	{ method: "GET", path: "/api/gamification/points/me", action: "gamification.myPoints", access: "signed-in" },
	{ method: "GET", path: "/api/gamification/points/:profileId", action: "gamification.pointsOf", access: "signed-in" },
	{ method: "GET", path: "/api/gamification/transactions/me", action: "gamification.transactions", access: "signed-in" },
	{ method: "GET", path: "/api/gamification/rules", action: "gamification.rules", access: "signed-in" },
];
