// Ids are UUIDs of version 7 (RFC 9562): unique everywhere, and in the order of their making where one process makes them.
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

let msecs = 0;
let seq = 0;

/** A new id, above every one that this process made before: lists by id are in order also within a millisecond. */
export function newId(): string {
	const bytes = random();
	const now = Date.now();
	if (now > msecs) {
		msecs = now;
		// Half of the 32 bits are left to count up in: more than anybody makes in a millisecond.
		seq = Buffer.from(bytes.buffer, bytes.byteOffset + 6, 4).readUInt32BE() >>> 1;
	} else {
		seq++;
	}
	return v7({ random: bytes, msecs, seq });
}
