// The catalog node's way to its database: uploads on their way.
import type { Queryable } from "../../../mixins/node.ts";

/** The same piece again is no other. */
export const insertPiece = (db: Queryable, staged: string, no: number, accountId: string, bytes: Buffer, now: Date) =>
	db.query("insert into pieces (staged, no, account_id, bytes, at) values ($1, $2, $3, $4, $5) on conflict do nothing", [
		staged,
		no,
		accountId,
		bytes,
		now,
	]);

/** All of it; undefined where a piece is missing. */
export async function readPieces(db: Queryable, staged: string, accountId: string, parts: number): Promise<Buffer | undefined> {
	const rows = await db.query<{ bytes: Buffer }>("select bytes from pieces where staged = $1 and account_id = $2 order by no", [
		staged,
		accountId,
	]);
	return rows.length === parts ? Buffer.concat(rows.map(({ bytes }) => bytes)) : undefined;
}

export const deletePieces = (db: Queryable, staged: string, accountId: string) =>
	db.query("delete from pieces where staged = $1 and account_id = $2", [staged, accountId]);

export const deletePiecesBefore = (db: Queryable, before: Date) => db.query("delete from pieces where at < $1", [before]);

export const deletePiecesOf = (db: Queryable, accountId: string) => db.query("delete from pieces where account_id = $1", [accountId]);
