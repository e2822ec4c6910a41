// Pictures: taken in, made small and clean, kept once, and served to whoever has a link.
import { newId, service } from "../../mixins/node.ts";
import { isSigned, picture } from "../../mixins/pictures.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx, Params } from "../contracts/index.ts";
import { isFull, NO_PICTURE, typeOf } from "./domain/picture.ts";
import { catalogNode } from "./node.ts";
import type { CatalogNode } from "./node.ts";
import { take } from "./pictures/take.ts";
import { deletePieces, insertPiece } from "./store/pieces.ts";
import { describeUploads, fileOf, findUpload, keptBy } from "./store/uploads.ts";
import type { FileOf } from "./store/uploads.ts";

/** One piece on its way to a door: in base64 it fits into a message of NATS. */
const PART_BYTES = 512 * 1024;
/** What everybody may see is kept by whoever has seen it: a week, not for good, since it may be erased. */
const OPEN_SECONDS = 7 * 86_400;

/** The file behind a link. One that was not made by us is refused before anything is looked up. */
async function opened({ broker, params }: Ctx<Params<"uploads.file">>, { db }: CatalogNode): Promise<FileOf> {
	const { uploadId, size, until, signature } = params;
	if (!isSigned(broker, uploadId, until, signature)) throw problem("forbidden", { detail: "This link is not one of ours." });
	if (until !== undefined && until * 1000 <= Date.now())
		throw problem("forbidden", { detail: "This link has ended: ask anew for what shows the picture." });
	const file = await fileOf(db, uploadId, size);
	if (!file) throw problem("not-found");
	return file;
}

export default service("uploads", {
	node: catalogNode,

	actions: {
		async begin(ctx, { db, uploadsPerHour }) {
			const { accountId } = ctx.caller;
			const verdict = await uploadsPerHour.take(accountId);
			if (!verdict.allowed) throw problem("rate-limited", { retryAfter: verdict.retrySeconds });
			if (isFull(await keptBy(db, accountId))) throw problem("upload-limit");
			return { staged: newId() };
		},

		async piece(ctx, { db, piecesPerHour }) {
			const { accountId } = ctx.caller;
			const { staged, no } = ctx.params;
			const bytes = Buffer.from(ctx.params.bytes, "base64");
			// The rest of what is no picture need not come.
			if (no === 0 && !typeOf(bytes)) throw problem("unsupported-media-type", { detail: NO_PICTURE });
			const verdict = await piecesPerHour.take(accountId);
			if (!verdict.allowed) throw problem("rate-limited", { retryAfter: verdict.retrySeconds });
			await insertPiece(db, staged, no, accountId, bytes, new Date());
			return {};
		},

		async drop(ctx, { db }) {
			await deletePieces(db, ctx.params.staged, ctx.caller.accountId);
			return {};
		},

		create: (ctx, node) => take(ctx, node),

		async describe(ctx, { db }) {
			const { ids, ownerId } = ctx.params;
			const found = new Map((await describeUploads(db, ids, ownerId, new Date())).map((row) => [row.id, row]));
			const errors = ids.flatMap((id, at) =>
				found.has(id) ? [] : [{ path: `ids/${at}`, code: "unknown", message: "is not one of your own uploads" }],
			);
			if (errors.length > 0) throw problem("validation", { errors });
			return { pictures: ids.flatMap((id) => found.get(id) ?? []) };
		},

		async show(ctx, { db }) {
			const { uploadId } = ctx.params;
			const row = await findUpload(db, uploadId, ctx.caller.accountId);
			if (!row) throw problem("not-found");
			const { type, width, height } = row;
			return { ...picture(ctx.broker, uploadId, { open: false }, new Date()), type, width, height };
		},

		async file(ctx, node) {
			const { size: name, until } = ctx.params;
			const { digest, type, size } = await opened(ctx, node);
			const seconds = until === undefined ? OPEN_SECONDS : until - Math.floor(Date.now() / 1000);
			return {
				name: `${name}.${type.slice("image/".length)}`,
				type,
				size,
				parts: Math.ceil(size / PART_BYTES),
				inline: true,
				etag: `"${digest.toString("hex").slice(0, 32)}-${name}"`,
				cache: `${until === undefined ? "public" : "private"}, max-age=${seconds}, immutable`,
			};
		},

		async part(ctx, node) {
			const { digest } = await opened(ctx, node);
			const { size, part } = ctx.params;
			const bytes = await node.shelf.read(digest.toString("hex"), size, part * PART_BYTES, PART_BYTES);
			return { bytes: bytes.toString("base64") };
		},
	},
});
