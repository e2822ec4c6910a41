// The cookies of rows that have one (route.ts).
import type { Route } from "./route.ts";

type Cookie = NonNullable<Route["cookie"]>;

/**
 * `value` is of characters that cookies may have.
 * @param home the path of PUBLIC_URL, "" for none: whoever stands before us takes it away, and browsers do not know
 */
export function setCookie({ name, path, seconds }: Cookie, value: string, { secure, home }: { secure: boolean; home: string }): string {
	const age = value === "" ? 0 : seconds;
	return `${name}=${value}; Path=${home}${path}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}
