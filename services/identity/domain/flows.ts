// The sign-ins that a browser has begun at issuers: what its cookie holds, and where it may come back to. Pure.
import { problem } from "../../contracts/errors.ts";

/** One, in few letters: a cookie is sent with every request. */
export interface Flow {
	/** State and nonce of this flow, and the secret of its PKCE challenge. */
	s: string;
	n: string;
	v: string;
	/** The provider, and where the browser goes on to. */
	p: string;
	r: string;
	/** The challenge of the page that began it. */
	c?: string;
	/** To link, not to sign in. */
	l?: 1;
	/** To say once more who one is, in a session that there is. */
	u?: 1;
	/** Until when, in seconds since 1970. */
	x: number;
}

/** Tabs that may be signing in at once; one more, and the oldest begins again. */
const MOST = 4;
export const FLOW_SECONDS = 600;

const living = (flows: readonly Flow[], now: Date): Flow[] => flows.filter(({ x }) => x * 1000 > now.getTime());

export const withFlow = (flows: readonly Flow[], flow: Flow, now: Date): Flow[] => [...living(flows, now), flow].slice(-MOST);

/** The flow of this state, and those that are left. Throws 400 `bad-state`. */
export function takeFlow(flows: readonly Flow[], state: string | undefined, provider: string, now: Date): { flow: Flow; left: Flow[] } {
	const flow = living(flows, now).find(({ s, p }) => s === state && p === provider);
	if (!flow) throw problem("bad-state");
	return { flow, left: living(flows, now).filter((other) => other !== flow) };
}

/** Whether a page is on our own site, or on one that we know. */
export function isKnown(page: string, home: string, origins: readonly string[]): boolean {
	const url = URL.parse(page);
	return url !== null && [new URL(home).origin, ...origins].includes(url.origin) && !url.username && !url.password;
}

/**
 * Where a browser goes on to: on our own site, or one of the others that we know. Throws 422 `validation`.
 * @param given a whole URL, or a path of `home`
 */
export function targetOf(given: string | undefined, home: string, origins: readonly string[]): string {
	const url = URL.parse(given ?? "", `${home}/`);
	// The fragment is where the code goes.
	if (url && isKnown(url.href, home, origins) && !url.hash && !given?.includes("#")) return url.href;
	const message = "must be a URL of this site, or of one that is known here, without a fragment";
	throw problem("validation", { errors: [{ path: "redirect", code: "origin", message }] });
}

/**
 * Throws 422 `validation` for a flow that links and has no challenge: whoever is lured to a page with a stranger's code would give
 * the stranger a way into their account. And for one that is to do two things.
 */
export function mayBegin({ link, stepUp, challenge }: { link: boolean; stepUp: boolean; challenge?: string | undefined }): void {
	const refuse = (path: string, code: string, message: string) => problem("validation", { errors: [{ path, code, message }] });
	if (link && stepUp) throw refuse("stepUp", "conflict", "cannot be asked for together with link");
	if (link && challenge === undefined) throw refuse("challenge", "required", "is required to link");
}

/**
 * When the person proved who they are, who was to do so in this flow; not later than now. Throws 403 `step-up-required` where the issuer
 * does not say, or took them as still signed in from before. `authTime`: in seconds since 1970, by the issuer's clock, which may differ from ours by `tolerance` (s).
 */
export function provedAt({ x }: Flow, authTime: unknown, tolerance: number, now: Date): Date {
	const begun = x - FLOW_SECONDS;
	if (typeof authTime !== "number" || authTime < begun - tolerance)
		throw problem("step-up-required", { detail: "The issuer has not asked anew who this is." });
	return new Date(Math.min(authTime * 1000, now.getTime()));
}
