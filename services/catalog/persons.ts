// What the catalog node keeps of persons: the pictures they sent. Of one that somebody else has sent, too, the bytes stay.
import type { PersonalData } from "../../mixins/node.ts";
import { jobs } from "./jobs.ts";
import type { CatalogNode } from "./node.ts";
import { deletePiecesOf } from "./store/pieces.ts";
import { deleteUploadsOf, uploadsOf } from "./store/uploads.ts";

const AT_ONCE = 100;

export const persons: PersonalData<CatalogNode> = {
	exports: { uploads: ({ accountId }, after, limit, { db }) => uploadsOf(db, accountId, after, limit) },

	async erase({ accountId }, tx) {
		await deletePiecesOf(tx, accountId);
		const digests = (await deleteUploadsOf(tx, accountId)).map((digest) => digest.toString("hex"));
		for (let from = 0; from < digests.length; from += AT_ONCE)
			await jobs.plan(tx, "dropFiles", { digests: digests.slice(from, from + AT_ONCE) });
	},
};
