// When signing keys come and go. Pure. A new key is published before it signs and after it has signed, for longer than
// verifiers keep what they know, so that no token meets a verifier that lacks its key.

/** How long a key signs, in days. */
export const SIGNS_DAYS = 30;
/** Verifiers know a key within eleven minutes (ours: 5 and 1 in memory; others: the same 5 of the HTTP cache). Twice that, it waits. */
export const PUBLISH_AHEAD_MS = 22 * 60_000;
const DAY = 86_400_000;

const iso = (ms: number): string => new Date(ms).toISOString();

export interface KeyTimes {
	/** ISO 8601, UTC; so is the other. */
	signsFrom: string;
	/** From then on it is not published any more. */
	retiredAt: string;
}

/**
 * The times of a new key. It signs at once where no other could until then: the first of all, or after a long sleep;
 * verifiers that do not know it ask for it.
 */
export function timesOfNewKey(keys: readonly KeyTimes[], now: Date): KeyTimes {
	const later = now.getTime() + PUBLISH_AHEAD_MS;
	const covered = keys.some((key) => Date.parse(key.retiredAt) > later + DAY);
	const signsFrom = covered ? later : now.getTime();
	return { signsFrom: iso(signsFrom), retiredAt: iso(signsFrom + (SIGNS_DAYS + 7) * DAY) };
}

/** So long (ms) doors have to hear of a key that an operator had made, before it signs. Who misses the signal asks (mixins/token/keys.ts). */
export const HEARD_AHEAD_MS = 2_000;
/** A key's last tokens live as long as any, and a day is longer. */
const OVERLAP_MS = DAY;

/** The times of a key that an operator has made: it signs in a moment, or at once where nothing of the others is believed any more. */
export function timesOnDemand(now: Date, atOnce: boolean): KeyTimes {
	const signsFrom = now.getTime() + (atOnce ? 0 : HEARD_AHEAD_MS);
	return { signsFrom: iso(signsFrom), retiredAt: iso(signsFrom + (SIGNS_DAYS + 7) * DAY) };
}

/** When a key retires that another one follows now: when the last token it has signed has long expired. */
export const retiresAfter = (successor: KeyTimes): string => iso(Date.parse(successor.signsFrom) + OVERLAP_MS);

/** A new key is due when the newest has signed for its time, or there is none. */
export function newKeyDue(keys: readonly KeyTimes[], now: Date): boolean {
	return keys.every((key) => Date.parse(key.signsFrom) + SIGNS_DAYS * DAY <= now.getTime());
}

/** The key that signs now: the newest of those whose time has come. */
export function signingKey<K extends KeyTimes>(keys: readonly K[], now: Date): K | undefined {
	const at = now.toISOString();
	return keys
		.filter((key) => key.signsFrom <= at && key.retiredAt > at)
		.sort((one, other) => Date.parse(other.signsFrom) - Date.parse(one.signsFrom))[0];
}
