// How many messages were unread, as counted before. Everything that changes a count moves the log's end (a message, a deletion) or the
// mark, so where both are as they were, the count is.

export interface Mark {
	id: string;
	head: number;
	readSeq: number;
}

/** More are forgotten, those first that were counted first. */
const KEPT = 50_000;

/**
 * Answers unread counts of a profile's groups; `count` counts those that are not known. Only where a deletion and its effect are written
 * together, and what is read later is not older.
 */
export function unreadMemo(count: (profileId: string, marks: readonly Mark[]) => Promise<ReadonlyMap<string, number>>) {
	const memos = new Map<string, Omit<Mark, "id"> & { unread: number }>();
	return async (profileId: string, marks: readonly Mark[]): Promise<Map<string, number>> => {
		const unread = new Map<string, number>();
		const unknown: Mark[] = [];
		for (const mark of marks) {
			const memo = memos.get(`${profileId} ${mark.id}`);
			if (mark.readSeq >= mark.head) unread.set(mark.id, 0);
			else if (memo && memo.head === mark.head && memo.readSeq === mark.readSeq) unread.set(mark.id, memo.unread);
			else unknown.push(mark);
		}
		if (unknown.length === 0) return unread;
		const counted = await count(profileId, unknown);
		for (const { id, head, readSeq } of unknown) {
			const key = `${profileId} ${id}`;
			const counts = counted.get(id) ?? 0;
			unread.set(id, counts);
			memos.delete(key);
			memos.set(key, { head, readSeq, unread: counts });
		}
		for (const key of memos.keys()) {
			if (memos.size <= KEPT) break;
			memos.delete(key);
		}
		return unread;
	};
}
