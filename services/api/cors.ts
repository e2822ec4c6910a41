// Which pages of other origins a browser lets read our answers: those of the configuration and our own, nobody else's.

export interface Cors {
	/** Headers for an answer to this Origin: name, value, name, value. */
	headers(origin: string | undefined): readonly string[];
	/** Headers for the answer to a preflight; `allow` is the path's Allow. */
	preflight(origin: string | undefined, allow: string): readonly string[];
}

const EXPOSED = "X-Request-Id, X-CSRF-Token, Idempotent-Replayed, Retry-After, RateLimit, RateLimit-Policy, Location";
const ACCEPTED = "Authorization, Content-Type, Idempotency-Key, X-CSRF-Token, X-Request-Id";
/** Pages of ours may be on another origin and still keep their tokens in cookies (cookies.ts). */
const WITH_COOKIES = ["Access-Control-Allow-Credentials", "true"];
const SECONDS = "600";

/** `isAllowed` is asked once per request with an Origin. */
export function makeCors(isAllowed: (origin: string) => boolean): Cors {
	const stranger = ["Vary", "Origin"];
	const headers = (origin: string | undefined): readonly string[] => {
		// Also without an Origin: a shared cache must not give that answer to a page.
		if (origin === undefined) return stranger;
		return isAllowed(origin)
			? ["Access-Control-Allow-Origin", origin, ...WITH_COOKIES, "Vary", "Origin", "Access-Control-Expose-Headers", EXPOSED]
			: stranger;
	};
	return {
		headers,
		preflight(origin, allow) {
			if (origin === undefined || !isAllowed(origin)) return stranger;
			return [
				"Access-Control-Allow-Origin",
				origin,
				...WITH_COOKIES,
				"Vary",
				"Origin",
				"Access-Control-Allow-Methods",
				allow,
				"Access-Control-Allow-Headers",
				ACCEPTED,
				"Access-Control-Max-Age",
				SECONDS,
			];
		},
	};
}
