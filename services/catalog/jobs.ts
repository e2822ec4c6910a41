// What waits for its time: pictures that nothing shows, files that nobody has, uploads that never ended.
import { jobsOf } from "../../mixins/node.ts";
import type { JobTools } from "../../mixins/jobs/index.ts";
import { catalogNode } from "./node.ts";
import { deleteFile, filesWithoutUploads, lockUnwanted } from "./store/files.ts";
import { deletePiecesBefore } from "./store/pieces.ts";
import { deleteUnused } from "./store/uploads.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const AT_ONCE = 200;

/** Deletes a file that no upload has. The lock holds back whoever sends the same picture just then: they put it away anew. */
async function dropFile(digest: Buffer, { db, broker }: JobTools): Promise<void> {
	await db.tx(async (tx) => {
		if (!(await lockUnwanted(tx, digest))) return;
		await catalogNode(broker).shelf.drop(digest.toString("hex"));
		await deleteFile(tx, digest);
	});
}

export const jobs = jobsOf("catalog", {
	/** Files whose uploads were deleted just now: gone at once, not with the next sweep. */
	dropFiles: async ({ digests }: { digests: string[] }, tools) => {
		for (const digest of digests) await dropFile(Buffer.from(digest, "hex"), tools);
	},

	sweep: {
		every: "hourly",
		async run(tools: JobTools) {
			const { db, at, signal } = tools;
			await deletePiecesBefore(db, new Date(at.getTime() - HOUR_MS));
			const before = new Date(at.getTime() - DAY_MS);
			while ((await deleteUnused(db, before, AT_ONCE)).length > 0) signal.throwIfAborted();
			let after = Buffer.alloc(0);
			for (;;) {
				const digests = await filesWithoutUploads(db, after, AT_ONCE);
				for (const digest of digests) {
					signal.throwIfAborted();
					await dropFile(digest, tools);
					after = digest as typeof after;
				}
				if (digests.length < AT_ONCE) return;
			}
		},
	},
});
