// When signing keys come and go. Pure. A new key is published before it signs and after it has signed, for longer than
// verifiers keep what they know, so that no token meets a verifier that lacks its key.

/** How long a key signs, in days. */
export const SIGNS_DAYS = 30;
/** Verifiers refresh their keys after five minutes; twice that, a new key is published without signing. */
export const PUBLISH_AHEAD_MS = 2 * 5 * 60_000;
const DAY = 86_400_000;

export interface KeyTimes {
	signsFrom: Date;
	/** From then on it is not published any more. */
	retiredAt: Date;
}

/** The times of a new key. The first one of all signs at once: there is no verifier yet. */
export function timesOfNewKey(now: Date, first: boolean): KeyTimes {
	const signsFrom = new Date(now.getTime() + (first ? 0 : PUBLISH_AHEAD_MS));
	return { signsFrom, retiredAt: new Date(signsFrom.getTime() + (SIGNS_DAYS + 7) * DAY) };
}

/** A new key is due when the newest has signed for its time, or there is none. */
export function newKeyDue(keys: readonly KeyTimes[], now: Date): boolean {
	return keys.every((key) => key.signsFrom.getTime() + SIGNS_DAYS * DAY <= now.getTime());
}

/** The key that signs now: the newest of those whose time has come. */
export function signingKey<K extends KeyTimes>(keys: readonly K[], now: Date): K | undefined {
	return keys
		.filter((key) => key.signsFrom <= now && key.retiredAt > now)
		.sort((one, other) => other.signsFrom.getTime() - one.signsFrom.getTime())[0];
}
