// Every way Reloop says no, as one table. A row more here is a new refusal; errors.ts makes errors and answers of them.
export interface ProblemRow {
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
	"bad-state": { status: 400, title: "Not begun here", detail: "This browser has not begun this sign-in, or too long ago: begin again." },
	"bad-signature": { status: 400, title: "Bad signature", detail: "The signature is not that of who should have sent this." },
	"invalid-code": { status: 400, title: "Invalid code", detail: "The code or link is wrong, used up or expired." },
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
	blocked: { status: 403, title: "Blocked", detail: "One of you has blocked the other." },
	banned: { status: 403, title: "Banned", detail: "This account is banned." },
	"password-change-required": { status: 403, title: "Password change required", detail: "Change the password first." },
	"sign-in-refused": { status: 403, title: "Sign-in refused", detail: "The issuer did not sign anybody in." },
	"mfa-required": { status: 403, title: "Second factor required", detail: "This account has a second factor: sign in with it." },
	"step-up-required": { status: 403, title: "Step-up required", detail: "Sign in again to do this." },
	"wrong-password": { status: 403, title: "Wrong password", detail: "The password is wrong." },
	csrf: { status: 403, title: "CSRF token missing or wrong", detail: "With cookies this needs the X-CSRF-Token of the session." },
	"needs-person": { status: 403, title: "Needs a person", detail: "A client's token is for nobody in particular: this needs a person's." },
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
	"link-required": {
		status: 409,
		title: "Link required",
		detail:
			"An account has this e-mail, and nothing proves that it is yours: sign in to it (or recover it), verify its e-mail, and link there.",
	},
	"already-linked": { status: 409, title: "Already linked", detail: "This identity is linked to an account already." },
	"last-sign-in": {
		status: 409,
		title: "Last way to sign in",
		detail: "Without this nobody could sign in to the account: set a password first.",
	},
	"profile-limit": { status: 409, title: "Too many profiles", detail: "This account has as many profiles as it may." },
	"last-profile": { status: 409, title: "Last profile", detail: "An account keeps at least one profile." },
	"active-profile": { status: 409, title: "Active profile", detail: "Go on as another profile first, then delete this one." },
	"already-member": { status: 409, title: "Already a member", detail: "This profile is a member already." },
	"already-invited": { status: 409, title: "Already invited", detail: "This profile has an open invite already." },
	"last-admin": { status: 409, title: "Last admin", detail: "The last admin must name a successor." },
	"seq-ahead": { status: 409, title: "Ahead of the log", detail: "The seq given is beyond the end of the log." },
	"wrong-state": { status: 409, title: "Wrong state", detail: "The present state does not permit this." },
	"upload-limit": { status: 409, title: "Too many pictures", detail: "This account keeps as many pictures as it may." },
	"already-flagged": { status: 409, title: "Already reported", detail: "You have reported this message already." },
	"too-many-emoji": { status: 409, title: "Too many emoji", detail: "This message carries as many different emoji as it may." },
	deleted: { status: 409, title: "Deleted", detail: "This has been deleted." },
	"idempotency-running": { status: 409, title: "Still running", detail: "The first request with this Idempotency-Key is still running." },
	// What it says
	validation: { status: 422, title: "Validation failed", detail: "A value is missing, unknown or wrong." },
	"broken-picture": { status: 422, title: "Broken picture", detail: "The file begins like a picture, but is none that can be read." },
	"too-many-pixels": { status: 422, title: "Too many pixels", detail: "A picture has at most 50 million pixels." },
	infected: { status: 422, title: "Infected", detail: "The virus scanner has found something in the file." },
	"idempotency-key-reused": { status: 422, title: "Idempotency-Key reused", detail: "This Idempotency-Key was used with another request." },
	// Not now
	"rate-limited": { status: 429, title: "Too many requests", detail: "Too many requests; try again later.", retryAfter: 1 },
	internal: { status: 500, title: "Internal error", detail: "Something went wrong on our side." },
	unavailable: { status: 503, title: "Unavailable", detail: "This cannot be answered now; try again shortly.", retryAfter: 1 },
	"issuer-unavailable": {
		status: 503,
		title: "Issuer unavailable",
		detail: "The issuer does not answer as it should; try again shortly.",
		retryAfter: 5,
	},
	draining: { status: 503, title: "Shutting down", detail: "This process is shutting down; try again.", retryAfter: 1 },
	"mailbox-full": { status: 503, title: "Too busy", detail: "Too much waits for the same thing; try again shortly.", retryAfter: 1 },
} as const satisfies Record<string, ProblemRow>;

export type ProblemCode = keyof typeof problems;
