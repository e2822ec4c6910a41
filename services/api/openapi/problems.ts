// The refusals of the HTTP door in its document: one response for each status, with the codes that have it.
import type { JsonSchema } from "../../contracts/json-schema.ts";
import { problems } from "../../contracts/problems.ts";
import type { ProblemCode } from "../../contracts/problems.ts";

const statusOf = (status: number) => (Object.keys(problems) as ProblemCode[]).filter((code) => problems[code].status === status);

/** What any row may answer, and what only some do. */
export const ALWAYS = [400, 404, 422, 429, 500, 503];
export const SIGNED_IN = [401, 403];
export const CHANGES = [409];
export const WITH_BODY = [408, 413, 415];
export const allStatuses = [...ALWAYS, ...SIGNED_IN, ...CHANGES, ...WITH_BODY, 405, 410, 431].sort();

export const problemsOf = (statuses: number[]): Record<string, JsonSchema> =>
	Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]));

export function problemResponse(status: number): JsonSchema {
	const codes = statusOf(status);
	return {
		description: codes.map((code) => `\`${code}\`: ${problems[code].detail}`).join("\n\n"),
		headers: {
			"X-Request-Id": { $ref: "#/components/headers/RequestId" },
			...(status === 429 || status === 503 ? { "Retry-After": { $ref: "#/components/headers/RetryAfter" } } : {}),
		},
		content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
	};
}
