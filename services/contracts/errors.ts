// Every way Reloop says no, as one table, and the two ways through it: `problem()` makes an error that a handler throws,
// `toProblem()` makes of any thrown thing the object that goes to a client (RFC 9457). Errors are told apart by `type`:
// a class does not survive the wire between two processes, and no text of a foreign error ever leaves through here.
import { Errors } from "moleculer";
import type { Json } from "./schema.ts";

interface Row {
	readonly status: number;
	readonly title: string;
	/** Said where the thrower says nothing better. */
	readonly detail: string;
	/** Seconds; the door makes a Retry-After header of it. */
	readonly retryAfter?: number;
}

export const problems = {
	// The request itself cannot be read
	malformed: { status: 400, title: "Malformed request", detail: "The request could not be read." },
	"bad-cursor": { status: 400, title: "Bad cursor", detail: "The cursor is not one that a list gave out." },
	"bad-header": { status: 400, title: "Bad header", detail: "A header has a value it may not have." },
	"idempotency-key-missing": { status: 400, title: "Idempotency-Key missing", detail: "This request needs an Idempotency-Key header." },
	"idempotency-key-malformed": {
		status: 400,
		title: "Idempotency-Key malformed",
		detail: "The Idempotency-Key header must be 1 to 255 printable characters.",
	},
	"request-timeout": { status: 408, title: "Request timeout", detail: "The request did not arrive in time." },
	"too-large": { status: 413, title: "Too large", detail: "The request is larger than is accepted here." },
	"unsupported-media-type": { status: 415, title: "Unsupported media type", detail: "The body must be JSON in UTF-8." },
	"headers-too-large": { status: 431, title: "Headers too large", detail: "The headers are larger than is accepted." },
	// Who asks
	unauthenticated: { status: 401, title: "Not signed in", detail: "This needs an access token." },
	"invalid-credentials": { status: 401, title: "Invalid credentials", detail: "The e-mail or the password is wrong." },
	"invalid-token": { status: 401, title: "Invalid token", detail: "The token is unknown, used up, revoked or expired." },
	// What they may
	forbidden: { status: 403, title: "Forbidden", detail: "You may not do this." },
	"not-member": { status: 403, title: "Not a member", detail: "Only members of the group may do this." },
	rank: { status: 403, title: "Rank too low", detail: "This needs a higher rank than the other's." },
	banned: { status: 403, title: "Banned", detail: "This account is banned." },
	"password-change-required": { status: 403, title: "Password change required", detail: "Change the password first." },
	"step-up-required": { status: 403, title: "Step-up required", detail: "Sign in again to do this." },
	origin: { status: 403, title: "Origin not allowed", detail: "This origin may not speak with this server." },
	// What is there
	"not-found": { status: 404, title: "Not found", detail: "There is no such thing here." },
	"unknown-event": { status: 404, title: "Unknown event", detail: "There is no such event." },
	"method-not-allowed": { status: 405, title: "Method not allowed", detail: "This path does not know that method." },
	gone: { status: 410, title: "Gone", detail: "This is no longer here." },
	expired: { status: 410, title: "Expired", detail: "The time for this is over." },
	// How it stands
	conflict: { status: 409, title: "Conflict", detail: "The present state does not permit this." },
	"email-taken": { status: 409, title: "E-mail taken", detail: "There is an account with this e-mail." },
	"already-member": { status: 409, title: "Already a member", detail: "This profile is a member already." },
	"already-invited": { status: 409, title: "Already invited", detail: "This profile has an open invite already." },
	"last-admin": { status: 409, title: "Last admin", detail: "The last admin must name a successor." },
	"seq-ahead": { status: 409, title: "Ahead of the log", detail: "The seq given is beyond the end of the log." },
	"wrong-state": { status: 409, title: "Wrong state", detail: "The present state does not permit this." },
	deleted: { status: 409, title: "Deleted", detail: "This has been deleted." },
	"idempotency-running": { status: 409, title: "Still running", detail: "The first request with this Idempotency-Key is still running." },
	// What it says
	validation: { status: 422, title: "Validation failed", detail: "A value is missing, unknown or wrong." },
	"idempotency-key-reused": { status: 422, title: "Idempotency-Key reused", detail: "This Idempotency-Key was used with another request." },
	// Not now
	"rate-limited": { status: 429, title: "Too many requests", detail: "Too many requests; try again later.", retryAfter: 1 },
	internal: { status: 500, title: "Internal error", detail: "Something went wrong on our side." },
	unavailable: { status: 503, title: "Unavailable", detail: "This cannot be answered now; try again shortly.", retryAfter: 1 },
	draining: { status: 503, title: "Shutting down", detail: "This process is shutting down; try again.", retryAfter: 1 },
	"mailbox-full": { status: 503, title: "Too busy", detail: "Too much waits for the same thing; try again shortly.", retryAfter: 1 },
} as const satisfies Record<string, Row>;

export type ProblemCode = keyof typeof problems;

/** What is wrong with one value of a request; `path` is dotted: `address.city`, `items[0].id`. */
export interface FieldProblem {
	path: string;
	code: string;
	message: string;
}

/** `detail` and `errors` as on the wire; every other field is added to the wire object as it is (`until`, `retryAfter` …). */
export interface ProblemExtras {
	detail?: string;
	errors?: readonly FieldProblem[];
	[extra: string]: Json | undefined | readonly FieldProblem[];
}

/** The error `problem()` makes: `type` is the problem's code, `code` its HTTP status. */
export interface ProblemError<C extends ProblemCode = ProblemCode> extends Error {
	readonly type: C;
	readonly code: number;
	readonly data: ProblemExtras;
}

/** What clients get. */
export interface WireProblem {
	type: string;
	title: string;
	status: number;
	detail: string;
	instance: string;
	code: ProblemCode;
	requestId: string;
	errors?: readonly FieldProblem[];
	[extra: string]: Json | undefined | readonly FieldProblem[];
}

/** An error to throw. Extras must be fit for any client's eyes. */
export function problem<const C extends ProblemCode>(code: C, extras: ProblemExtras = {}): ProblemError<C> {
	const row: Row = problems[code];
	return new Errors.MoleculerError(extras.detail ?? row.detail, row.status, code, extras) as unknown as ProblemError<C>;
}

/** Is this error the problem of that code, or, without a code, any problem? True also for one that crossed the wire. */
export function isProblem<C extends ProblemCode = ProblemCode>(error: unknown, code?: C): error is ProblemError<C> {
	if (typeof error !== "object" || error === null) return false;
	const { name, type, code: status } = error as { name?: unknown; type?: unknown; code?: unknown };
	if (name !== "MoleculerError" || typeof type !== "string" || !Object.hasOwn(problems, type)) return false;
	return problems[type as ProblemCode].status === status && (code === undefined || type === code);
}

/** The wire object of anything thrown: unknown errors are `internal` and say nothing of themselves. */
export function toProblem(error: unknown, where: { instance: string; requestId: string }): WireProblem {
	const known = isProblem(error);
	const code = known ? error.type : codeOfForeign(error);
	const { detail, errors, ...extras } = known ? (error.data ?? {}) : ({} as ProblemExtras);
	const { status, title, detail: usual, retryAfter }: Row = problems[code];
	return {
		...(retryAfter === undefined ? {} : { retryAfter }),
		...extras,
		type: `urn:reloop:problem:${code}`,
		title,
		status,
		detail: detail ?? usual,
		instance: where.instance,
		code,
		requestId: where.requestId,
		...(errors?.length ? { errors } : {}),
	};
}

/** What the errors of our dependencies mean, by the `type` they carry: Moleculer, moleculer-web, body-parser. */
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

function codeOfForeign(error: unknown): ProblemCode {
	if (typeof error !== "object" || error === null) return "internal";
	const { type, name, code, message } = error as { type?: unknown; name?: unknown; code?: unknown; message?: unknown };
	if (typeof type === "string" && Object.hasOwn(foreignTypes, type)) return foreignTypes[type] as ProblemCode;
	if (typeof name === "string" && Object.hasOwn(foreignNames, name)) return foreignNames[name] as ProblemCode;
	if (typeof code === "string" && awayCodes.test(code)) return "unavailable";
	if (code === undefined && typeof message === "string" && awayMessages.test(message)) return "unavailable";
	return "internal";
}
