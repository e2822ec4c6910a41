// Opaque cursors: where a list goes on. They hold the sort key of the last row shown, so a list is stable under writes.
import { problem } from "../services/contracts/errors.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NUMBER = /^(0|[1-9]\d{0,15})$/;
const WORD = /^[a-z]{1,20}$/;

/** As Date writes it: that of another calendar (February 30) is none. */
const isTime = (text: string): boolean => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;

/** What a part of a cursor may be. */
export const cursorPart = { uuid: UUID, number: NUMBER, word: WORD, time: { test: isTime } } as const;
export type CursorPart = keyof typeof cursorPart;

export function encodeCursor(parts: (string | number)[]): string {
	return Buffer.from(parts.join(" "), "utf8").toString("base64url");
}

/** The parts of a cursor, or null without one; anything but what `encodeCursor` made for this list is 400 `bad-cursor`. */
export function decodeCursor<const S extends readonly CursorPart[]>(
	cursor: string | undefined,
	shape: S,
): { [K in keyof S]: string } | null {
	if (cursor === undefined) return null;
	const parts = Buffer.from(cursor, "base64url").toString("utf8").split(" ");
	const sound = parts.length === shape.length && shape.every((kind, index) => cursorPart[kind].test(parts[index] ?? ""));
	if (!sound || encodeCursor(parts) !== cursor) throw problem("bad-cursor");
	return parts as { [K in keyof S]: string };
}

/** A list's answer. */
export interface Page<T> {
	data: T[];
	nextCursor: string | null;
}

/** Rows fetched with one more than asked become a page: `nextCursor` where there is more. */
export function pageOf<R, T>(rows: R[], limit: number, cursorOf: (row: R) => (string | number)[], view: (row: R) => T): Page<T> {
	const data = rows.slice(0, limit);
	const last = data.at(-1);
	return { data: data.map(view), nextCursor: rows.length > limit && last ? encodeCursor(cursorOf(last)) : null };
}

/**
 * A page of rows in the order of their ids: `fetch` gets the id that the page goes on from (null at its beginning) and how many rows
 * to read. The query's own `order by id` and `id < $n` (or `>`) say which way it goes.
 */
export async function pageById<R extends { id: string }>(
	{ limit, cursor }: { limit: number; cursor?: string },
	fetch: (from: string | null, limit: number) => Promise<R[]>,
): Promise<Page<R>> {
	const [from] = decodeCursor(cursor, ["uuid"]) ?? [null];
	return pageOf(
		await fetch(from, limit + 1),
		limit,
		(row) => [row.id],
		(row) => row,
	);
}
