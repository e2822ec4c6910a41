// What a file is by its first bytes, and how much of it is let in. What a client says of it, by name or type, is not asked.
import type { Described } from "../../contracts/uploads.ts";

export type PictureType = Described["type"];

export const NO_PICTURE = "The file is no JPEG, PNG, WebP, GIF or AVIF picture.";
/** More pixels than this are not decoded. */
export const MOST_PIXELS = 50_000_000;
/** What one account may keep: far beyond a closet, far below a disk. */
export const MOST_UPLOADS = 10_000;
export const MOST_BYTES = 4 * 1024 * 1024 * 1024;

const ascii = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

/** AVIF says in its first box which kinds of file it is at once; HEIC, its sibling, is none of ours. */
function isAvif(bytes: Uint8Array): boolean {
	if (ascii(bytes, 4, 8) !== "ftyp") return false;
	const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
	for (let at = 8; at + 4 <= Math.min(length, bytes.length, 128); at += 4) if (ascii(bytes, at, at + 4) === "avif") return true;
	return false;
}

const SIGNATURES: readonly (readonly [PictureType, (bytes: Uint8Array) => boolean])[] = [
	["image/jpeg", (bytes) => ascii(bytes, 0, 3) === "\xff\xd8\xff"],
	["image/png", (bytes) => ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n"],
	["image/gif", (bytes) => /^GIF8[79]a$/.test(ascii(bytes, 0, 6))],
	["image/webp", (bytes) => ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP"],
	["image/avif", isAvif],
];

/** Undefined for all that is no picture we take. The first 128 bytes are enough. */
export const typeOf = (bytes: Uint8Array): PictureType | undefined =>
	bytes.length < 12 ? undefined : SIGNATURES.find(([, is]) => is(bytes))?.[0];

/** Has the account room for one more? */
export const isFull = ({ uploads, bytes }: { uploads: number; bytes: number }): boolean => uploads >= MOST_UPLOADS || bytes >= MOST_BYTES;
