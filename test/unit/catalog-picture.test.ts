// What a file is by its first bytes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isFull, MOST_BYTES, MOST_UPLOADS, typeOf } from "../../services/catalog/domain/picture.ts";

const bytes = (text: string) => Buffer.from(text.padEnd(32, "\0"), "latin1");

test("five kinds of pictures are told by their first bytes", () => {
	assert.equal(typeOf(bytes("\xff\xd8\xff\xe0")), "image/jpeg");
	assert.equal(typeOf(bytes("\x89PNG\r\n\x1a\n")), "image/png");
	assert.equal(typeOf(bytes("GIF87a")), "image/gif");
	assert.equal(typeOf(bytes("GIF89a")), "image/gif");
	assert.equal(typeOf(bytes("RIFF\0\0\0\0WEBPVP8 ")), "image/webp");
	assert.equal(typeOf(bytes("\0\0\0\x1cftypavif\0\0\0\0mif1")), "image/avif");
	assert.equal(typeOf(bytes("\0\0\0\x1cftypmif1\0\0\0\0avifmiaf")), "image/avif");
});

test("everything else is none", () => {
	const others = [
		"",
		"<svg",
		"%PDF-1.7",
		"II*\0",
		"BM",
		"RIFF\0\0\0\0WAVE",
		"\0\0\0\x18ftypheic\0\0\0\0mif1",
		"GIF90a",
		"\xff\xd8",
		"\0\0\0\x0cftypmif1avif",
	];
	for (const other of others) assert.equal(typeOf(bytes(other)), undefined, other);
	assert.equal(typeOf(Buffer.from("GIF89a")), undefined);
	// Where it lies in a larger buffer does not matter.
	assert.equal(typeOf(Buffer.concat([Buffer.alloc(7), bytes("\0\0\0\x1cftypavif\0\0\0\0mif1")]).subarray(7)), "image/avif");
});

test("an account is full by number or by bytes", () => {
	assert.equal(isFull({ uploads: MOST_UPLOADS - 1, bytes: MOST_BYTES - 1 }), false);
	assert.equal(isFull({ uploads: MOST_UPLOADS, bytes: 0 }), true);
	assert.equal(isFull({ uploads: 1, bytes: MOST_BYTES }), true);
});
