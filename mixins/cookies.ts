// The cookies in which a browser may keep its tokens, as both doors read them.
import type { IncomingMessage } from "node:http";

/** `reloop_csrf` alone can be read by the page, which repeats it in the header X-CSRF-Token. */
export const COOKIES = { access: "reloop_at", refresh: "reloop_rt", csrf: "reloop_csrf" } as const;

/** A cookie's value; undefined where there is none, or two of one name: somebody has put theirs beside ours. */
export function cookieOf({ headers }: Pick<IncomingMessage, "headers">, name: string): string | undefined {
	let found: string | undefined;
	for (const pair of (headers.cookie ?? "").split(";")) {
		const equals = pair.indexOf("=");
		if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
		const value = pair.slice(equals + 1).trim();
		if (found !== undefined && found !== value) return undefined;
		found = value;
	}
	return found || undefined;
}
