// The keys that verify tokens, as they are known here: read once, read anew now and then, and when a token names another one.
import type { JSONWebKeySet } from "jose";
import { createLocalJWKSet } from "jose";

/** Keys are asked for at most so often (ms), whoever names an unknown one and whatever came of the last time. */
const KEY_RELOAD_MS = 5_000;
/** Known keys are used for so long (ms) before they are read anew. New ones are published for longer before they sign. */
export const KEY_REFRESH_MS = 300_000;

export interface KeySource {
	loadKeys: () => Promise<JSONWebKeySet>;
	/** Keys that were known before, to begin with while those of today are read. */
	keptKeys?: (() => Promise<JSONWebKeySet | undefined>) | undefined;
}

export interface Keys {
	/** The keys as known. Old ones are better than none: while they are read anew, and where that fails, they stay in use. */
	present(): Promise<ReturnType<typeof createLocalJWKSet>>;
	/** Reads them anew for whoever names an unknown one. False where that was tried a moment ago. */
	again(): Promise<boolean>;
	/** They have changed: they are read anew now, whatever was read a moment ago. Never rejects. */
	changed(): Promise<void>;
}

export function keysOf({ loadKeys, keptKeys }: KeySource): Keys {
	let keys: ReturnType<typeof createLocalJWKSet> | undefined;
	let loadedAt = Number.NEGATIVE_INFINITY;
	let triedAt = Number.NEGATIVE_INFINITY;
	let loading: Promise<void> | undefined;

	const load = () => {
		loading ??= loadKeys()
			.then((set) => {
				keys = createLocalJWKSet(set);
				loadedAt = performance.now();
			})
			.finally(() => {
				triedAt = performance.now();
				loading = undefined;
			});
		return loading;
	};

	return {
		async present() {
			if (!keys && keptKeys) {
				const kept = await keptKeys();
				if (kept) keys ??= createLocalJWKSet(kept);
			}
			if (!keys) await load();
			else if (performance.now() - loadedAt > KEY_REFRESH_MS && performance.now() - triedAt > KEY_RELOAD_MS) load().catch(() => {});
			return keys as NonNullable<typeof keys>;
		},
		async changed() {
			// One that is under way may have been answered before the change.
			await loading?.catch(() => {});
			await load().catch(() => {});
		},
		async again() {
			if (!loading && performance.now() - triedAt < KEY_RELOAD_MS) return false;
			await load();
			return true;
		},
	};
}
