// Deleting what nobody needs: uploads that nothing shows, files that no upload has, pieces of uploads that never ended.
import type { JobTools } from "../../../mixins/jobs/index.ts";
import { catalogNode } from "../node.ts";
import { deleteFile, filesWithoutUploads, lockUnwanted } from "../store/files.ts";
import { deletePiecesBefore } from "../store/pieces.ts";
import { deleteUnused } from "../store/uploads.ts";

type Tools = Pick<JobTools, "db" | "broker" | "at" | "signal">;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const AT_ONCE = 200;

/** Deletes a file that no upload has. The lock holds back whoever sends the same picture just then: they put it away anew. */
export async function dropFile(digest: Buffer, { db, broker }: Pick<Tools, "db" | "broker">): Promise<void> {
	await db.tx(async (tx) => {
		if (!(await lockUnwanted(tx, digest))) return;
		await catalogNode(broker).shelf.drop(digest.toString("hex"));
		await deleteFile(tx, digest);
	});
}

export async function sweep(tools: Tools): Promise<void> {
	const { db, at, signal } = tools;
	await deletePiecesBefore(db, new Date(at.getTime() - HOUR_MS));
	const before = new Date(at.getTime() - DAY_MS);
	while ((await deleteUnused(db, before, AT_ONCE)).length > 0) signal.throwIfAborted();
	// Also what was put away for an upload that then failed.
	for (let after: Buffer | undefined = Buffer.alloc(0); after; ) {
		const digests: Buffer[] = await filesWithoutUploads(db, after, AT_ONCE);
		for (const digest of digests) {
			signal.throwIfAborted();
			await dropFile(digest, tools);
		}
		after = digests.at(-1);
	}
}
