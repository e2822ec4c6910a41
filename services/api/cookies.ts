// The cookies of rows that have one (route.ts).
import type { Route } from "./route.ts";

type Cookie = NonNullable<Route["cookie"]>;

/** `value` is of characters that cookies may have. */
export function setCookie({ name, path, seconds }: Cookie, value: string, secure: boolean): string {
	const age = value === "" ? 0 : seconds;
	return `${name}=${value}; Path=${path}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}
