// What it means that an issuer knows somebody. Pure. Identity is the pair of issuer and subject; an e-mail only finds the account
// to link, and only where both the issuer and we know that it is this person's. (Otherwise whoever registers first with
// somebody else's address, here or there, would share an account with its owner.)
import { problem } from "../../contracts/errors.ts";
import type { Account } from "../../contracts/identity.ts";
import { maySignIn, normalizeEmail } from "./login.ts";

/** Somebody, as an issuer says. */
export interface Claimed {
	/** Without a slash at its end: operators and issuers spell it as they like, and mean one. */
	issuer: string;
	subject: string;
	/** Normalised. */
	email: string | null;
	emailVerified: boolean;
	/** For a display name; null where the issuer has none. */
	name: string | null;
	language: string | null;
}

const LANGUAGES = ["en", "pt", "ar", "ku"];
const textOf = (value: unknown): string | undefined => (typeof value === "string" && value.trim() !== "" ? value : undefined);

/** Read off the claims of an ID token or of userinfo. Some issuers write truths as texts. */
export function claimed(issuer: string, subject: string, claims: Readonly<Record<string, unknown>>): Claimed {
	const { email, email_verified, name, given_name, family_name, preferred_username, locale } = claims;
	const address = textOf(email) === undefined ? null : normalizeEmail(email as string);
	const given = [given_name, family_name].map(textOf).filter(Boolean).join(" ");
	const language = textOf(locale)?.slice(0, 2).toLowerCase();
	return {
		issuer: withoutSlash(issuer),
		subject,
		email: address !== null && isEmail(address) ? address : null,
		emailVerified: email_verified === true || email_verified === "true",
		name: textOf(name) ?? textOf(given) ?? textOf(preferred_username) ?? null,
		language: language !== undefined && LANGUAGES.includes(language) ? language : null,
	};
}

export const withoutSlash = (issuer: string): string => issuer.replace(/\/$/, "");

const isEmail = (address: string): boolean => address.length <= 254 && /^[^\s@]+@[^\s@]+$/u.test(address) && !address.includes("\0");

/** What a profile may be called (1 to 60 characters) of what an issuer calls somebody; else what stands before the @. */
export function displayNameOf({ name, email }: Pick<Claimed, "name" | "email">): string {
	const fit = (text: string) =>
		[
			...text
				.toWellFormed()
				.replace(/\p{Cc}/gu, "")
				.trim(),
		]
			.slice(0, 60)
			.join("")
			.trim();
	return fit(name ?? "") || fit((email ?? "").split("@")[0] ?? "") || "?";
}

/** An account as far as this decides. */
export type Met = Pick<Account, "state"> & { bannedUntil: string | null; passwordHash: string | null };

/** `enter`: the identity's account. `link`: the account of the e-mail, from now on also this identity's. `create`: a new one. */
export type Meeting = "enter" | "link" | "create";

/**
 * @param linked the account of the identity, and whether its e-mail was known to be this person's when they were linked
 * @param same the account that has the e-mail
 * Throws 403 `banned`, 401 `invalid-credentials`, 409 `link-required`, 422 `validation` without an e-mail.
 */
export function meeting(
	{ email, emailVerified }: Pick<Claimed, "email" | "emailVerified">,
	linked: (Met & { proven: boolean }) | undefined,
	same: Met | undefined,
): Meeting {
	if (linked && !disowned(linked)) {
		maySignIn(linked);
		return "enter";
	}
	if (email === null) {
		const message = "must carry an e-mail address: ask the issuer for the scope email";
		throw problem("validation", { errors: [{ path: "idToken", code: "email", message }] });
	}
	if (!same && !linked) return "create";
	if (!same || !emailVerified || same.state === "unverified") throw problem("link-required");
	maySignIn(same);
	return "link";
}

/**
 * Somebody made an account here with an e-mail that nobody had proved to be theirs, and then it got a password: that takes the
 * mailbox. Its owner may be somebody else, who does not share it.
 */
export const disowned = ({ proven, passwordHash }: { proven: boolean; passwordHash: string | null }): boolean =>
	!proven && passwordHash !== null;

/** Nobody else was ever in this account, and now the issuer knows its e-mail to be this person's. */
export const becomesActive = (
	account: Pick<Account, "state" | "email"> & { passwordHash: string | null },
	{ email, emailVerified }: Claimed,
): boolean => account.state === "unverified" && account.passwordHash === null && emailVerified && email === account.email;

/** Throws 409 `last-sign-in`: without a password, the last identity or passkey stays. `ways`: how many of them there are. */
export function mayUnlink(account: { passwordHash: string | null }, ways: number): void {
	if (account.passwordHash === null && ways < 2) throw problem("last-sign-in");
}
