// Pictures, through the door: what becomes of what is sent.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { it } from "node:test";
import sharp from "sharp";
import { is, person, testApp } from "../support/kit.ts";
import { anyPicture, fetchPicture, filesKept, piecesKept, pixels, sendFile } from "../support/pictures.ts";

const app = await testApp();
const { url } = app;
const ana = await person(url, "Ana");
const SIZES = ["small", "medium", "large"] as const;

/** Its three sizes, as anybody with the links gets them. */
// biome-ignore lint/suspicious/noExplicitAny: an answer as clients read it
const sizesOf = ({ sizes }: any) => Promise.all(SIZES.map(async (size) => (await fetchPicture(sizes[size])).bytes));

it("a picture is there in three sizes, none of them enlarged; its url is the largest", async () => {
	const reply = is(await sendFile(url, ana, await anyPicture(2000, 1000)), 201);
	assert.partialDeepStrictEqual(reply.body, { type: "image/png", width: 1600, height: 800, url: reply.body.sizes.large });
	assert.equal(reply.headers.get("location"), `/api/uploads/${reply.body.id}`);
	const made = await Promise.all((await sizesOf(reply.body)).map((bytes) => sharp(bytes).metadata()));
	assert.deepEqual(
		made.map(({ width, height }) => [width, height]),
		[
			[160, 80],
			[640, 320],
			[1600, 800],
		],
	);
	const tiny = is(await sendFile(url, ana, await anyPicture(20, 10)), 201).body;
	assert.deepEqual([tiny.width, tiny.height], [20, 10]);
});

it("a picture is what its content says, whatever its name and type say", async () => {
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

it("where it was taken, and all else that a camera writes, is in none of its sizes; it stands upright", async () => {
	const exif = {
		IFD0: { Make: "PlantedCamera", Artist: "PlantedPerson" },
		IFD3: { GPSLatitudeRef: "N", GPSLatitude: "38/1 43/1 1234/100", GPSLongitudeRef: "W", GPSLongitude: "9/1 8/1 2222/100" },
	};
	const xmp = '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">PlantedXmp</x:xmpmeta>';
	for (const format of ["jpeg", "png", "webp", "avif"] as const) {
		const bytes = await pixels(2, 300, 200).withExif(exif).withXmp(xmp).withMetadata({ orientation: 6 }).toFormat(format).toBuffer();
		const planted = await sharp(bytes).metadata();
		assert.ok(planted.exif?.includes("PlantedCamera") && bytes.includes("Planted"), `${format} has what is to be taken out`);
		const { body } = is(await sendFile(url, ana, bytes), 201);
		// AVIF says how it is turned by itself, and sharp has turned it when it wrote it.
		assert.deepEqual([body.width, body.height], [planted.autoOrient.width, planted.autoOrient.height]);
		for (const made of await sizesOf(body)) {
			const { exif: left, xmp: words, icc, iptc, orientation } = await sharp(made).metadata();
			assert.deepEqual(
				{ left, words, icc, iptc, orientation },
				{ left: undefined, words: undefined, icc: undefined, iptc: undefined, orientation: undefined },
			);
			for (const word of ["Exif", "GPS", "Planted", "xmpmeta"]) assert.ok(!made.includes(word), `${format} has no ${word}`);
		}
	}
});

it("what is printed or measured becomes a picture for screens: CMYK, 16 bits and grey alike", async () => {
	const kinds = [
		await pixels(3).toColourspace("cmyk").jpeg().toBuffer(),
		await pixels(3).toColourspace("rgb16").png().toBuffer(),
		await pixels(3).greyscale().png().toBuffer(),
	];
	for (const bytes of kinds) {
		const { body } = is(await sendFile(url, ana, bytes), 201);
		const { space, depth } = await sharp((await fetchPicture(body.url)).bytes).metadata();
		assert.deepEqual([space === "srgb" || space === "b-w", depth], [true, "uchar"]);
	}
});

it("of a picture that moves, the first frame stands", async () => {
	const frames = await Promise.all([4, 5, 6].map((seed) => pixels(seed).png().toBuffer()));
	for (const format of ["gif", "webp"] as const) {
		const moving = await sharp(frames, { join: { animated: true } })
			.toFormat(format)
			.toBuffer();
		assert.equal((await sharp(moving).metadata()).pages, 3);
		const { body } = is(await sendFile(url, ana, moving), 201);
		assert.deepEqual([body.width, body.height], [200, 100]);
		assert.equal((await sharp((await fetchPicture(body.url)).bytes).metadata()).pages ?? 1, 1);
	}
});

it("a file that is something else besides comes out as a picture alone", async () => {
	const gif = await pixels(7).gif().toBuffer();
	const script = Buffer.from("=1;/*planted*/alert(document.domain)//");
	const zip = Buffer.from("PK\x03\x04planted PK\x05\x06", "latin1");
	for (const bytes of [Buffer.concat([gif, script]), Buffer.concat([await pixels(8).jpeg().toBuffer(), zip])]) {
		const { body } = is(await sendFile(url, ana, bytes, { name: "a.js", type: "text/javascript" }), 201);
		for (const made of await sizesOf(body)) assert.ok(!made.includes("planted") && !made.includes("PK\x03\x04"));
	}
});

it("the same picture twice is kept once, and is two uploads", async () => {
	const ben = await person(url, "Ben");
	const bytes = await anyPicture();
	const before = await filesKept(app.broker);
	const one = is(await sendFile(url, ana, bytes), 201).body;
	const other = is(await sendFile(url, ben, bytes), 201).body;
	assert.notEqual(one.id, other.id);
	assert.equal(await filesKept(app.broker), before + 3);
	assert.deepEqual((await fetchPicture(one.url)).bytes, (await fetchPicture(other.url)).bytes);
});

it("an Idempotency-Key: the same file again is the same upload, another file is refused, and nothing waits", async () => {
	const headers = { "Idempotency-Key": randomUUID() };
	const bytes = await anyPicture();
	const first = is(await sendFile(url, ana, bytes, { headers }), 201);
	const second = is(await sendFile(url, ana, bytes, { headers }), 201);
	assert.deepEqual(second.body, first.body);
	assert.equal(second.headers.get("idempotent-replayed"), "true");
	is(await sendFile(url, ana, await anyPicture(), { headers }), 422, "idempotency-key-reused");
	const together = { "Idempotency-Key": randomUUID() };
	const replies = await Promise.all(Array.from({ length: 5 }, () => sendFile(url, ana, bytes, { headers: together })));
	const good = replies.filter(({ status }) => status === 201);
	assert.equal(new Set(good.map(({ body }) => body.id)).size, 1);
	for (const { status, body } of replies) assert.ok(status === 201 || body.code === "idempotency-running", JSON.stringify(body));
	await piecesKept(0);
});

it("a picture is shown to its account again, with a link that is good, and to nobody else", async () => {
	const ben = await person(url, "Ben");
	const { body } = is(await sendFile(url, ana, await anyPicture()), 201);
	assert.deepEqual(is(await ana.get(`/api/uploads/${body.id}`), 200).body, body);
	is(await ben.get(`/api/uploads/${body.id}`), 404, "not-found");
	is(await ana.get(`/api/uploads/${randomUUID()}`), 404, "not-found");
});
