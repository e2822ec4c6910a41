import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mark } from "../../services/groups/store/unread-memo.ts";
import { unreadMemo } from "../../services/groups/store/unread-memo.ts";
import { sinceWhen } from "../../services/groups/store/words-here.ts";

test("unread counts are asked for once, and again where the log or the mark has moved", async () => {
	const asked: string[][] = [];
	const unreadIn = unreadMemo(async (_profileId, marks) => {
		asked.push(marks.map(({ id }) => id));
		return new Map(marks.map(({ id, head, readSeq }) => [id, head - readSeq]));
	});
	const list = async (profileId: string, ...marks: Mark[]) => Object.fromEntries(await unreadIn(profileId, marks));
	const one = { id: "one", head: 9, readSeq: 4 };
	const other = { id: "other", head: 5, readSeq: 1 };
	assert.deepEqual(await list("me", one, other), { one: 5, other: 4 });
	assert.deepEqual(await list("me", one, other), { one: 5, other: 4 });
	assert.deepEqual(await list("me", { ...one, head: 10 }, other), { one: 6, other: 4 });
	assert.deepEqual(await list("me", { ...one, head: 10 }, { ...other, readSeq: 2 }), { one: 6, other: 3 });
	assert.deepEqual(asked, [["one", "other"], ["one"], ["other"]]);
	assert.deepEqual(await list("you", other), { other: 4 });
	assert.deepEqual(asked.at(-1), ["other"]);
	assert.deepEqual(await list("you", { id: "read", head: 3, readSeq: 3 }), { read: 0 });
	assert.equal(asked.length, 4);
});

test("a time is found since when about so many messages were said, however unequal the rooms are", () => {
	const minutes = (n: number) => new Date(Date.parse("2026-03-01T12:00:00.000Z") - n * 60_000).toISOString();
	const busy = { room: "busy", part: 9, newest: minutes(0), earlier: minutes(32) };
	const calm = { room: "calm", part: 9, newest: minutes(100), earlier: minutes(420) };
	const tiny = { room: "tiny", part: 0, newest: minutes(5), earlier: null };
	assert.equal(sinceWhen([busy], 64), minutes(64));
	// 1,000 of the one, 90 of the other, and what little there is of the third.
	assert.equal(sinceWhen([busy, calm, tiny], 1_000 + 90 + 32), minutes(1_000));
	assert.equal(sinceWhen([tiny], 2_000), null);
});
