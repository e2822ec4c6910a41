// Ids are UUIDs of version 7 (RFC 9562): unique everywhere, and in the order of their making to the millisecond.
import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

/** Random bytes for so many ids are drawn at once: asking the system for each costs more than all the rest of an id. */
const POOLED = 256;
const BYTES = 16;
const pool = Buffer.allocUnsafe(POOLED * BYTES);
let used = pool.length;

function random(): Uint8Array {
	if (used === pool.length) {
		randomFillSync(pool);
		used = 0;
	}
	used += BYTES;
	return pool.subarray(used - BYTES, used);
}

/** A new id. */
export const newId = (): string => v7({ rng: random });
