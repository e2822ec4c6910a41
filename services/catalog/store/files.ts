// The catalog node's way to its database: the files behind uploads. Where their bytes are is the shelf's business (pictures/shelf.ts).
import type { Queryable, Tx } from "../../../mixins/node.ts";
import type { Described } from "../../contracts/uploads.ts";

export interface NewFile extends Pick<Described, "type" | "width" | "height"> {
	digest: Buffer;
	/** Bytes of each size. */
	small: number;
	medium: number;
	large: number;
}

/** Before its bytes are put away. Waits for whoever is deleting the same. */
export const insertFile = (db: Queryable, { digest, type, width, height, small, medium, large }: NewFile) =>
	db.query(
		`insert into files (digest, type, width, height, small, medium, large) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
		[digest, type, width, height, small, medium, large],
	);

/** Keeps a file until the transaction ends. False where somebody has deleted it meanwhile. */
export async function holdFile(tx: Tx, digest: Buffer): Promise<boolean> {
	return (await tx.query("select from files where digest = $1 for key share", [digest])).length > 0;
}

/** Files that no upload has, at most `limit`, after one. */
export async function filesWithoutUploads(db: Queryable, after: Buffer, limit: number): Promise<Buffer[]> {
	const rows = await db.query<{ digest: Buffer }>(
		"select digest from files f where digest > $1 and not exists (select from uploads u where u.digest = f.digest) order by digest limit $2",
		[after, limit],
	);
	return rows.map(({ digest }) => digest);
}

/** True where no upload has the file: nobody takes it up again before the transaction ends. */
export async function lockUnwanted(tx: Tx, digest: Buffer): Promise<boolean> {
	if ((await tx.query("select from files where digest = $1 for update", [digest])).length === 0) return false;
	// A statement of its own: what was written while the first one waited is seen.
	return (await tx.query("select from uploads where digest = $1 limit 1", [digest])).length === 0;
}

export const deleteFile = (tx: Tx, digest: Buffer) => tx.query("delete from files where digest = $1", [digest]);

/** The name of the folder that holds the bytes: as long as nothing is kept, the one that is given. */
export async function settleFolder(db: Queryable, own: string): Promise<string> {
	const [row] = await db.query<{ id: string }>(
		`insert into folder as f (id) values ($1) on conflict (single) do update
		set id = case when exists (select from files) then f.id else excluded.id end returning id`,
		[own],
	);
	return row?.id ?? "";
}
