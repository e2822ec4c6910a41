// The cookies of rows that have one (route.ts).
import type { IncomingMessage } from "node:http";
import type { Route } from "./route.ts";

type Cookie = NonNullable<Route["cookie"]>;

/** What a request says for a cookie; undefined where it says nothing, or says it twice: of two, one is not ours. */
export function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
	const found = (headers.cookie ?? "")
		.split(";")
		.map((pair) => pair.trim())
		.filter((pair) => pair.startsWith(`${name}=`));
	return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined;
}

/** `value` is of characters that cookies may have. */
export function setCookie({ name, path, seconds }: Cookie, value: string, secure: boolean): string {
	const age = value === "" ? 0 : seconds;
	return `${name}=${value}; Path=${path}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}
