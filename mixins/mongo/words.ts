// Messages of a log in MongoDB found by their words, which are kept with them: one index over rooms, words and time. (An index of the type
// `text` knows no order but its own, cannot find what begins with a word, splits no Chinese, and would find other things than
// PostgreSQL does.)
import type { Query } from "./driver.ts";
import type { Ask } from "./events.ts";

export interface WordPlace {
	room: string;
	seq: number;
	/** ISO 8601. */
	at: string;
}

/** `words` null: not found any more; without `at` the message keeps its place. */
export interface WordChange {
	seq: number;
	at?: string;
	words: readonly string[] | null;
}

export interface WordSearch {
	rooms: readonly string[];
	/** All of them: words, or how words begin. */
	terms: readonly { word: string; begins: boolean }[];
	after: WordPlace | null;
	limit: number;
}

export async function writeWords<Deed>(ask: Ask<Deed>, room: string, changes: readonly WordChange[]): Promise<void> {
	if (changes.length === 0) return;
	const steps = changes.map(({ seq, at, words }) => ({
		updateOne: {
			filter: { room, seq, type: "message" },
			update: words ? { $set: { words, ...(at && { foundAt: new Date(at) }) } } : { $unset: { words: "", foundAt: "" } },
		},
	}));
	await ask((events) => events.bulkWrite(steps, { ordered: false }));
}

/** So many of the newest messages of one room are looked at before the index is asked: what is said often is among them. */
const LOOKED_AT = 2_000;
const escaped = (word: string) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Newest first. */
export async function findWords<Deed>(ask: Ask<Deed>, { rooms, terms, after, limit }: WordSearch): Promise<WordPlace[]> {
	if (rooms.length === 0 || terms.length === 0) return [];
	const words = { $all: terms.map(({ word, begins }) => (begins ? new RegExp(`^${escaped(word)}`, "u") : word)) };
	const found = (query: Query, order: Query) =>
		ask(async (events) => {
			const rows = await events.find(query).sort(order).limit(limit).project({ _id: 0, room: 1, seq: 1, foundAt: 1 }).toArray();
			return rows.map(({ room, seq, foundAt = new Date(0) }) => ({ room, seq, at: foundAt.toISOString() }));
		});
	const [only, another] = rooms;
	if (only !== undefined && another === undefined) {
		const upTo: Query = after ? { $lt: after.seq } : { $gt: 0 };
		const newest = await ask((events) => events.find({ room: only, seq: upTo }).sort({ room: -1, seq: -1 }).limit(1).toArray());
		const from = (newest[0]?.seq ?? 0) - LOOKED_AT;
		const near = await found({ type: "message", room: only, seq: { ...upTo, $gt: from }, words }, { room: -1, seq: -1 });
		if (near.length >= limit || from <= 0) return near;
		return found({ type: "message", room: only, seq: upTo, words }, { foundAt: -1, seq: -1 });
	}
	const query: Query = { type: "message", room: { $in: rooms }, words };
	if (after) {
		const at = new Date(after.at);
		query.$or = [
			{ foundAt: { $lt: at } },
			{ foundAt: at, room: { $lt: after.room } },
			{ foundAt: at, room: after.room, seq: { $lt: after.seq } },
		];
	}
	return found(query, { foundAt: -1, room: -1, seq: -1 });
}
