// Browsers may keep their tokens in cookies that no page can read. A page of somebody else could have the browser send them
// along: so what changes anything needs the session's CSRF token in a header, too, which only a page of ours can know.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { decodeJwt } from "jose";
import { COOKIES, cookieOf } from "../../mixins/cookies.ts";
import { problem } from "../contracts/errors.ts";

/** The refresh token is sent here and nowhere else. */
const REFRESH_PATH = "/api/auth/refresh";
export const CSRF_HEADER = "x-csrf-token";

export interface CookieOptions {
	/** Keys the CSRF tokens. */
	secret: Buffer;
	/** Cookies are for https only. */
	secure: boolean;
	/** The path of PUBLIC_URL, "" for none. */
	home: string;
	/** How long a session lasts, in seconds. */
	ttlRefresh: number;
	/** Of pages that may speak with us. */
	isAllowed: (origin: string) => boolean;
}

export interface Tokens {
	accessToken: string;
	refreshToken: string;
	expiresIn: number;
}

export interface SessionCookies {
	access(req: IncomingMessage): string | undefined;
	refresh(req: IncomingMessage): string | undefined;
	/** Throws 403 `origin` where a page that may not speak with us says something. */
	mustBeOurs(req: IncomingMessage): void;
	/**
	 * The session whose CSRF token is in the header and in its cookie; `sessionId`, where given, must be that. Throws 403 `csrf`.
	 */
	mustKnow(req: IncomingMessage, sessionId?: string): string;
	/** Headers that put these tokens into cookies: name, value, name, value. */
	put(tokens: Tokens): string[];
	/** Headers that take all of them away. */
	clear(): string[];
}

export function makeCookies({ secret, secure, home, ttlRefresh, isAllowed }: CookieOptions): SessionCookies {
	const csrfOf = (sessionId: string) => `${sessionId}.${createHmac("sha256", secret).update(sessionId).digest("base64url")}`;
	const setCookie = (
		name: string,
		value: string,
		{ path = "/", seconds, readable = false }: { path?: string; seconds: number; readable?: boolean },
	) => [
		"Set-Cookie",
		[
			`${name}=${value}`,
			`Path=${path}`,
			`Max-Age=${seconds}`,
			"SameSite=Strict",
			...(readable ? [] : ["HttpOnly"]),
			...(secure ? ["Secure"] : []),
		].join("; "),
	];
	const all = (access: string, refresh: string, csrf: string, seconds: { access: number; session: number }) => [
		...setCookie(COOKIES.access, access, { seconds: seconds.access }),
		...setCookie(COOKIES.refresh, refresh, { seconds: seconds.session, path: `${home}${REFRESH_PATH}` }),
		...setCookie(COOKIES.csrf, csrf, { seconds: seconds.session, readable: true }),
	];

	return {
		access: (req) => cookieOf(req, COOKIES.access),
		refresh: (req) => cookieOf(req, COOKIES.refresh),
		mustBeOurs({ headers }) {
			if (headers.origin !== undefined && !isAllowed(headers.origin)) throw problem("origin");
		},
		mustKnow(req, sessionId) {
			const [header, cookie] = [req.headers[CSRF_HEADER], cookieOf(req, COOKIES.csrf)];
			if (typeof header !== "string" || cookie === undefined) throw problem("csrf");
			const named = header.split(".")[0] ?? "";
			const right = csrfOf(sessionId ?? named);
			if (!equal(header, right) || !equal(cookie, right)) throw problem("csrf");
			return named;
		},
		put({ accessToken, refreshToken, expiresIn }) {
			const csrf = csrfOf(String(decodeJwt(accessToken).sid));
			// In a header, too: a page of another origin that may speak with us cannot read our cookies.
			return [...all(accessToken, refreshToken, csrf, { access: expiresIn, session: ttlRefresh }), "X-CSRF-Token", csrf];
		},
		clear: () => all("", "", "", { access: 0, session: 0 }),
	};
}

function equal(one: string, other: string): boolean {
	const [a, b] = [Buffer.from(one), Buffer.from(other)];
	return a.length === b.length && timingSafeEqual(a, b);
}
