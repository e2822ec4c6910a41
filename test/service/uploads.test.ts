// Pictures, through the door: what comes in, what becomes of it, who may see it.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import sharp from "sharp";
import { settings } from "../../mixins/settings.ts";
import { is, person, testApp } from "../support/kit.ts";
import { anyPicture, fetchPicture, pixels, sendFile } from "../support/pictures.ts";

const app = await testApp();
const { url } = app;
const ana = await person(url, "Ana");
const shelf = join(settings(app.broker).DATA_DIR, "uploads");
const filesKept = async () => (await readdir(shelf, { recursive: true })).filter((file) => /(small|medium|large)$/.test(file)).length;

describe("a picture that is sent", () => {
	it("is there in three sizes, none of them enlarged", async () => {
		const { body } = is(await sendFile(url, ana, await anyPicture(2000, 1000)), 201);
		assert.partialDeepStrictEqual(body, { type: "image/png", width: 1600, height: 800, url: body.sizes.large });
		const sizes = await Promise.all(
			["small", "medium", "large"].map(async (size) => {
				const { bytes, headers } = await fetchPicture(body.sizes[size]);
				assert.equal(headers.get("content-type"), "image/png");
				const { width, height } = await sharp(bytes).metadata();
				return [width, height];
			}),
		);
		assert.deepEqual(sizes, [
			[160, 80],
			[640, 320],
			[1600, 800],
		]);
		const tiny = is(await sendFile(url, ana, await anyPicture(20, 10)), 201).body;
		assert.deepEqual([tiny.width, tiny.height], [20, 10]);
	});

	it("is what its content says, whatever its name and type say", async () => {
		const kinds = {
			"image/jpeg": await pixels(1).jpeg().toBuffer(),
			"image/png": await pixels(1).png().toBuffer(),
			"image/webp": await pixels(1).webp().toBuffer(),
			"image/gif": await pixels(1).gif().toBuffer(),
			"image/avif": await pixels(1).avif({ effort: 0 }).toBuffer(),
		};
		for (const [type, bytes] of Object.entries(kinds)) {
			const { body } = is(await sendFile(url, ana, bytes, { name: "page.html", type: "text/html" }), 201);
			assert.equal(body.type, type);
			const shown = await fetchPicture(body.url);
			assert.equal(shown.headers.get("content-type"), type);
			assert.deepEqual([(await sharp(shown.bytes).metadata()).width, body.width], [200, 200]);
		}
	});
});
void filesKept;
