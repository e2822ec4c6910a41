// The process itself, its documents, and how each of its nodes is.
import { nodeNames } from "../../contracts/index.ts";
import type { Route } from "../route.ts";

const PUBLIC = "public, max-age=300";

const health = nodeNames.map(
	(node): Route => ({
		method: "GET",
		path: `/api/${node}/health`,
		action: `${node}.health`,
		access: "anyone",
		details: "ops:read",
		down: 503,
	}),
);

export const process: readonly Route[] = [
	{ method: "GET", path: "/live", action: "api.live", access: "anyone" },
	{ method: "GET", path: "/ready", action: "api.ready", access: "anyone", down: 503 },
	{ method: "GET", path: "/api/openapi.json", action: "api.openapi", access: "anyone", cache: PUBLIC },
	{ method: "GET", path: "/api/asyncapi.json", action: "api.asyncapi", access: "anyone", cache: PUBLIC },
	...health,
];
