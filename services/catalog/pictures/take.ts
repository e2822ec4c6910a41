// From what somebody sent to an upload of theirs.
import { erasedAmong, newId, onceAfter } from "../../../mixins/node.ts";
import type { Tx } from "../../../mixins/node.ts";
import { picture } from "../../../mixins/pictures.ts";
import { problem } from "../../contracts/errors.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { PictureSize, Upload } from "../../contracts/uploads.ts";
import { pictureSize } from "../../contracts/uploads.ts";
import type { CatalogNode } from "../node.ts";
import { deletePieces, readPieces } from "../store/pieces.ts";
import { holdFile, insertFile } from "../store/files.ts";
import { insertUpload } from "../store/uploads.ts";
import type { Milled } from "./mill.ts";

type Staged = { staged: string; parts: number };
/** Somebody deleted the file while it was put away: nothing had it yet. */
class Swept extends Error {}
const TRIES = 3;

/** The row first, then the bytes: what is left of an upload that fails is found by the row, and deleted (jobs.ts). */
async function putAway({ db, shelf }: CatalogNode, { digest, type, width, height, bytes }: Milled): Promise<void> {
	const length = (size: PictureSize) => bytes[size].length;
	await insertFile(db, { digest, type, width, height, small: length("small"), medium: length("medium"), large: length("large") });
	await Promise.all(pictureSize.values.map((size) => shelf.put(digest.toString("hex"), size, type, bytes[size])));
}

async function save(tx: Tx, ctx: Ctx<Staged>, { digest, type, width, height }: Milled): Promise<Upload> {
	const { accountId, profileId } = ctx.caller;
	const [now, id] = [new Date(), newId()];
	if (!(await holdFile(tx, digest))) throw new Swept();
	if ((await erasedAmong(tx, [accountId])).has(accountId)) throw problem("gone", { detail: "The account was erased meanwhile." });
	await insertUpload(tx, { id, ownerId: profileId, accountId, digest }, now);
	await deletePieces(tx, ctx.params.staged, accountId);
	return { ...picture(ctx.broker, id, { open: false }, now), type, width, height };
}

/** Throws 415, 422 `broken-picture`, `too-many-pixels` and `infected`, 503. */
export async function take(ctx: Ctx<Staged>, node: CatalogNode): Promise<Upload> {
	const { staged, parts } = ctx.params;
	let milled: Milled | undefined;
	const make = async (): Promise<Milled> => {
		const given = await readPieces(node.db, staged, ctx.caller.accountId, parts);
		if (!given) throw problem("unavailable", { detail: "What was sent is no longer whole: send it again." });
		await node.scan(given);
		return node.mill(given, ctx.deadline);
	};
	const prepare = async () => {
		milled ??= await make();
		await putAway(node, milled);
		return milled;
	};
	for (let turn = 1; ; turn++) {
		try {
			return await onceAfter(ctx, node.db, prepare, (tx, made) => save(tx, ctx, made));
		} catch (error) {
			if (!(error instanceof Swept)) throw error;
			if (turn === TRIES) throw problem("unavailable");
		}
	}
}
