// Whether the audit is whole: each entry's hash is of the hash before it and its own words. Pure; who hashes is handed in, since
// domain imports nothing.

/** An entry as it was hashed. */
export interface ChainedEntry {
	seq: number;
	id: string;
	at: string;
	action: string;
	/** Hexadecimal, as are the other hashes. */
	hash: string;
	words: string;
	/** What names a person, as it is kept; null where it is erased, or there never was any. */
	personal: string | null;
	personalHash: string | null;
}

/** The first entry that is not as it was. `id`, `at` and `action` of a removed one are not known any more. */
export interface Broken {
	seq: number | null;
	id: string | null;
	at: string | null;
	action: string | null;
	fault: "removed" | "changed" | "inserted";
}

export interface Link {
	seq: number;
	hash: string;
}
/** Before the first entry. */
export const BEGINNING: Link = { seq: 0, hash: "00".repeat(32) };

/** SHA-256 of bytes (hexadecimal) followed by a text. */
export type Hash = (bytes: string, text: string) => string;

/** The first broken one of entries that follow `last`, or where the chain has got to. */
export function follow(last: Link, entries: readonly ChainedEntry[], hash: Hash): { broken: Broken } | { last: Link } {
	let here = last;
	for (const entry of entries) {
		const { seq, id, at, action } = entry;
		if (seq !== here.seq + 1) return { broken: { seq: here.seq + 1, id: null, at: null, action: null, fault: "removed" } };
		const sound =
			hash(here.hash, entry.words) === entry.hash && (entry.personal === null || hash("", entry.personal) === entry.personalHash);
		if (!sound) return { broken: { seq, id, at, action, fault: "changed" } };
		here = { seq, hash: entry.hash };
	}
	return { last: here };
}

/** What the end says: the head is written with each entry. */
export function endOf(last: Link, head: Link): Broken | null {
	if (last.seq < head.seq) return { seq: last.seq + 1, id: null, at: null, action: null, fault: "removed" };
	if (last.seq > head.seq || last.hash !== head.hash) return { seq: last.seq, id: null, at: null, action: null, fault: "changed" };
	return null;
}
