// The mill: of what somebody sent, three clean pictures. It is decoded and written anew, so that nothing of the file but its pixels
// gets through: no place where it was taken, no script, no second file behind it. Turned as its camera said, in sRGB; of several
// frames the first. One at a time in a process, on one thread: whoever chats does not notice.
import { createHash } from "node:crypto";
import sharp from "sharp";
import type { Sharp } from "sharp";
import { problem } from "../../contracts/errors.ts";
import type { PictureSize } from "../../contracts/uploads.ts";
import { PICTURE_SIZES } from "../../contracts/uploads.ts";
import { MOST_PIXELS, NO_PICTURE, typeOf } from "../domain/picture.ts";
import type { PictureType } from "../domain/picture.ts";

sharp.concurrency(1);
sharp.cache(false);
// libvips reads far more than pictures for the web (SVG, PDF, TIFF …), and finds out by itself what a file is: it may not.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
	operation: ["Jpeg", "Png", "Webp", "Nsgif", "Heif"].map((kind) => `VipsForeignLoad${kind}`),
});

export interface Milled {
	/** SHA-256 of the largest size. */
	digest: Buffer;
	type: PictureType;
	/** Of the largest size, in pixels. */
	width: number;
	height: number;
	bytes: Record<PictureSize, Buffer>;
}

/** What libvips calls each; AVIF is a kind of HEIF to it. */
const WRITERS: Record<PictureType, { format: string; write(pixels: Sharp): Sharp }> = {
	"image/jpeg": { format: "jpeg", write: (pixels) => pixels.jpeg({ quality: 82 }) },
	"image/png": { format: "png", write: (pixels) => pixels.png() },
	"image/webp": { format: "webp", write: (pixels) => pixels.webp({ quality: 82 }) },
	"image/gif": { format: "gif", write: (pixels) => pixels.gif({ effort: 2 }) },
	"image/avif": { format: "heif", write: (pixels) => pixels.avif({ quality: 55, effort: 2 }) },
};
/** Seconds that the slowest picture may take to be read; far more than any of 50 MP does. */
const LONGEST_SECONDS = 8;
/** So many wait for their turn; whoever comes then tries again. */
const MOST_WAITING = 24;

/** Throws 415 for what is no picture, 422 for one that is broken or too large. */
async function mill(given: Buffer): Promise<Milled> {
	const type = typeOf(given);
	if (!type) throw problem("unsupported-media-type", { detail: NO_PICTURE });
	const { format, write } = WRITERS[type];
	const read = () => sharp(given, { limitInputPixels: MOST_PIXELS, failOn: "error", sequentialRead: true });
	try {
		const head = await read().metadata();
		if (head.format !== format || (format === "heif" && head.compression !== "av1")) throw problem("broken-picture");
		if (head.width * head.height > MOST_PIXELS) throw problem("too-many-pixels", { most: MOST_PIXELS });
		const { data, info } = await fit(read().autoOrient(), "large")
			.toColourspace("srgb")
			.timeout({ seconds: LONGEST_SECONDS })
			.raw()
			.toBuffer({ resolveWithObject: true });
		const { width, height, channels } = info;
		const made = async (size: PictureSize) => write(fit(sharp(data, { raw: { width, height, channels } }), size)).toBuffer();
		const bytes = { small: await made("small"), medium: await made("medium"), large: await made("large") };
		return { digest: createHash("sha256").update(bytes.large).digest(), type, width, height, bytes };
	} catch (error) {
		if (/exceeds pixel limit/.test(String(error))) throw problem("too-many-pixels", { most: MOST_PIXELS });
		if (error instanceof Error && !("type" in error)) throw problem("broken-picture");
		throw error;
	}
}

const fit = (picture: Sharp, size: PictureSize): Sharp =>
	picture.resize(PICTURE_SIZES[size], PICTURE_SIZES[size], { fit: "inside", withoutEnlargement: true });

/** A mill of one process. `deadline`: when whoever waits stops waiting (performance.now()). */
export function makeMill(): (given: Buffer, deadline: number) => Promise<Milled> {
	let waiting = 0;
	let turn: Promise<unknown> = Promise.resolve();
	return async (given, deadline) => {
		if (waiting >= MOST_WAITING) throw problem("unavailable", { retryAfter: 5 });
		waiting++;
		const done = turn.then(() => {
			if (performance.now() > deadline) throw problem("unavailable", { retryAfter: 5 });
			return mill(given);
		});
		turn = done.catch(() => {});
		try {
			return await done;
		} finally {
			waiting--;
		}
	};
}
