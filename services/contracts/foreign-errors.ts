// What the errors of others mean for a client: of Moleculer, moleculer-web and body-parser, of the network, of the databases.
import type { ProblemCode } from "./problems.ts";

/** What the errors of our dependencies mean, by the `type` they carry. */
const foreignTypes: Readonly<Record<string, ProblemCode>> = {
	SERVICE_NOT_FOUND: "unavailable",
	SERVICE_NOT_AVAILABLE: "unavailable",
	REQUEST_TIMEOUT: "unavailable",
	REQUEST_SKIPPED: "unavailable",
	REQUEST_REJECTED: "unavailable",
	QUEUE_FULL: "unavailable",
	BAD_GATEWAY: "unavailable",
	// Calls that call each other in a circle: our fault, and asking again does not help.
	MAX_CALL_LEVEL: "internal",
	VALIDATION_ERROR: "validation",
	INVALID_REQUEST_BODY: "malformed",
	NO_TOKEN: "unauthenticated",
	INVALID_TOKEN: "invalid-token",
	NOT_FOUND: "not-found",
	PAYLOAD_TOO_LARGE: "too-large",
	RATE_LIMIT_EXCEEDED: "rate-limited",
	"entity.too.large": "too-large",
	"parameters.too.many": "too-large",
	"entity.parse.failed": "malformed",
	"entity.verify.failed": "malformed",
	"request.aborted": "malformed",
	"request.size.invalid": "malformed",
	"encoding.unsupported": "unsupported-media-type",
	"charset.unsupported": "unsupported-media-type",
};

/** moleculer-web's own errors, which come without a `type` of use. */
const foreignNames: Readonly<Record<string, ProblemCode>> = {
	BadRequestError: "malformed",
	UnAuthorizedError: "unauthenticated",
	ForbiddenError: "forbidden",
	NotFoundError: "not-found",
	PayloadTooLarge: "too-large",
	RateLimitExceeded: "rate-limited",
	ServiceUnavailableError: "unavailable",
	ValidationError: "validation",
	// Thrown by decodeURIComponent on a broken path.
	URIError: "malformed",
};

/** Codes of the network and SQLSTATEs that say that the database is away, full or restarting, or lost a race for a lock. */
const awayCodes =
	/^(?:database-unavailable|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|08...|57P0[1-5]|53...|40001|40P01|55P03|57014)$/;
/** What pg's pool says without any code. */
const awayMessages =
	/^(?:timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Cannot use a pool after calling end)/;

/** What anything thrown that is no problem of ours is to a client. */
export function codeOfForeign(error: unknown): ProblemCode {
	if (typeof error !== "object" || error === null) return "internal";
	const { type, name, code, message } = error as { type?: unknown; name?: unknown; code?: unknown; message?: unknown };
	if (typeof type === "string" && Object.hasOwn(foreignTypes, type)) return foreignTypes[type] as ProblemCode;
	if (typeof name === "string" && Object.hasOwn(foreignNames, name)) return foreignNames[name] as ProblemCode;
	if (typeof code === "string" && awayCodes.test(code)) return "unavailable";
	if (code === undefined && typeof message === "string" && awayMessages.test(message)) return "unavailable";
	return "internal";
}
