// How an account stands: its states, and what leads from one to another. Pure.
//
//   unverified, active, mustChangePassword  ⇄  banned      (each keeps what it came from, and goes back to it)
//   all of these                            ⇄  trashed
//   everything                              →  purged
import { problem } from "../../contracts/errors.ts";
import type { Account } from "../../contracts/identity.ts";

type State = Account["state"];

export interface Standing {
	state: State;
	banReason: string | null;
	/** ISO 8601; null: for good. */
	bannedUntil: string | null;
	bannedAt: string | null;
	/** The account whose doing it was; null for an operator. */
	bannedBy: string | null;
	beforeBan: State | null;
	beforeTrash: State | null;
}

const unbanned = { banReason: null, bannedUntil: null, bannedAt: null, bannedBy: null, beforeBan: null } as const;

/** Whether a ban's time is over, whatever has been written of it. */
export const banIsOver = ({ state, bannedUntil }: Pick<Standing, "state" | "bannedUntil">, now: Date): boolean =>
	state === "banned" && bannedUntil !== null && bannedUntil <= now.toISOString();

/** The state in which an account is now. */
export const stateNow = (standing: Pick<Standing, "state" | "bannedUntil" | "beforeBan">, now: Date): State =>
	banIsOver(standing, now) ? (standing.beforeBan ?? "active") : standing.state;

/** How it stands now: a ban whose time is over is none. */
export const standingNow = <S extends Standing>(standing: S, now: Date): S =>
	banIsOver(standing, now) ? { ...standing, ...unbanned, state: stateNow(standing, now) } : standing;

/** Refused by the state that it is in. */
function only<S extends Standing>(standing: S, allowed: (state: State) => boolean): S {
	if (!allowed(standing.state)) throw problem("wrong-state", { state: standing.state });
	return standing;
}
const isThere = (state: State): boolean => state !== "trashed" && state !== "purged";

interface Ban {
	reason: string;
	until: string | null;
	by: string | null;
}

/** Again: with another reason and end. Throws 422 `validation` for an end that is over. */
export function banned<S extends Standing>(given: S, { reason, until, by }: Ban, now: Date): S {
	const standing = only(given, isThere);
	if (until !== null && until <= now.toISOString())
		throw problem("validation", { errors: [{ path: "until", code: "range", message: "must be in the future" }] });
	const beforeBan = standing.state === "banned" ? standing.beforeBan : standing.state;
	return { ...standing, state: "banned", banReason: reason, bannedUntil: until, bannedAt: now.toISOString(), bannedBy: by, beforeBan };
}

export function freed<S extends Standing>(given: S): S {
	const standing = only(given, (state) => state === "banned");
	return { ...standing, ...unbanned, state: standing.beforeBan ?? "active" };
}

export function trashed<S extends Standing>(given: S): S {
	const standing = only(given, isThere);
	return { ...standing, state: "trashed", beforeTrash: standing.state };
}

/** Back to what it was: banned, where that is not over. */
export function restored<S extends Standing>(given: S, now: Date): S {
	const standing = only(given, (state) => state === "trashed");
	return standingNow({ ...standing, state: standing.beforeTrash ?? "active", beforeTrash: null }, now);
}

/** The password must be changed; of a banned account after the ban. */
export function toChangePassword<S extends Standing>(given: S): S {
	const standing = only(given, isThere);
	return standing.state === "banned" ? { ...standing, beforeBan: "mustChangePassword" } : { ...standing, state: "mustChangePassword" };
}

/** May it be erased? What is erased already may not. */
export const erasable = <S extends Standing>(standing: S): S => only(standing, (state) => state !== "purged");
