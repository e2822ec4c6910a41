// What the use of a refresh token means. Pure. ASVS 5, 10.4.5: a token is used once, and a second use ends the family;
// but an answer can be lost on its way, so the same client may ask again for a moment.

/** How long a lost answer is forgiven, in ms. */
export const FORGIVEN_MS = 10_000;

export interface RefreshUse {
	/** When the token was used before, or null. */
	usedAt: string | null;
	/** Whether the token that followed it has been used. One that was not used itself is followed by another after a step-up. */
	successorUsed: boolean;
	/** The client that used it and the one asking now: their `User-Agent`. */
	usedDevice: string | null;
	askingDevice: string;
	endedAt: string | null;
	expiresAt: string;
}

/** `rotate`: give the successor. `repeat`: give the same successor again. `reuse`: end the session. `refuse`: it is over anyway. */
export type Rotation = "rotate" | "repeat" | "reuse" | "refuse";

export function rotation(use: RefreshUse, now: Date): Rotation {
	if (use.endedAt || use.expiresAt <= now.toISOString()) return "refuse";
	if (!use.usedAt) return use.successorUsed ? "reuse" : "rotate";
	const lost = now.getTime() - Date.parse(use.usedAt) <= FORGIVEN_MS;
	return lost && !use.successorUsed && use.usedDevice === use.askingDevice ? "repeat" : "reuse";
}
