// Pictures: taken in, made small and clean, kept once, and served to whoever has a link.
import { picture } from "../../mixins/pictures.ts";
import { service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { findDescribed } from "./store/uploads.ts";

export default service("uploads", {
	actions: {
		async describe(ctx, { db }) {
			const { ids, ownerId } = ctx.params;
			const found = new Map((await findDescribed(db, ids, ownerId)).map((row) => [row.id, row]));
			const errors = ids.flatMap((id, at) =>
				found.has(id) ? [] : [{ path: `ids/${at}`, code: "unknown", message: "is not one of your own uploads" }],
			);
			if (errors.length > 0) throw problem("validation", { errors });
			return { pictures: ids.flatMap((id) => found.get(id) ?? []) };
		},

		async show(ctx, { db }) {
			const { uploadId } = ctx.params;
			const [row] = await findDescribed(db, [uploadId], ctx.caller.accountId);
			if (!row) throw problem("not-found");
			return { ...picture(ctx.broker, uploadId, { open: false }, new Date()), type: row.type, width: row.width, height: row.height };
		},
	},
});
