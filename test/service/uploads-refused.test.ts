// What is no picture, too much of one, or no whole form: refused, and nothing of it is kept.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, it } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { http, is, person, testApp } from "../support/kit.ts";
import { anyPicture, filesKept, formOf, piecesKept, pixels, sendFile } from "../support/pictures.ts";

const app = await testApp();
const { url } = app;
const ana = await person(url, "Ana");
let kept = 0;

afterEach(async () => {
	await piecesKept(0);
	assert.equal(await filesKept(app.broker), kept);
});

/** A PNG of one colour that says it is so large. */
function pngOf(width: number, height: number, rows: Buffer): Buffer {
	const chunk = (name: string, data: Buffer) => {
		const body = Buffer.concat([Buffer.from(name), data]);
		const frame = Buffer.alloc(8);
		frame.writeUInt32BE(data.length);
		frame.writeUInt32BE(crc32(body), 4);
		return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
	};
	const head = Buffer.alloc(13);
	head.writeUInt32BE(width);
	head.writeUInt32BE(height, 4);
	head.set([8, 2], 8);
	const parts = [Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))];
	return Buffer.concat(parts);
}

it("what is no picture is 415: SVG with a script, PDF, TIFF, HEIC, text, nothing at all", async () => {
	const heic = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1");
	const tiff = await pixels(1).tiff().toBuffer();
	const others = [
		Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
		Buffer.from(
			'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>',
		),
		Buffer.from("%PDF-1.7\n1 0 obj"),
		tiff,
		heic,
		Buffer.from("PK\x03\x04", "latin1"),
		Buffer.from("just words that go on for a while"),
		Buffer.alloc(0),
		Buffer.from([0xff]),
	];
	for (const bytes of others) is(await sendFile(url, ana, bytes, { name: "a.png", type: "image/png" }), 415, "unsupported-media-type");
});

it("a picture that is broken is 422", async () => {
	const png = await pixels(2, 800, 600).png().toBuffer();
	const broken = [
		png.subarray(0, png.length / 2),
		png.subarray(0, 40),
		(await pixels(2, 800, 600).jpeg().toBuffer()).subarray(0, 20_000),
		(await pixels(2, 800, 600).gif().toBuffer()).subarray(0, 20_000),
		(await pixels(2, 800, 600).webp().toBuffer()).subarray(0, 20_000),
		(await pixels(2, 800, 600).avif({ effort: 0 }).toBuffer()).subarray(0, 20_000),
		Buffer.from("GIF89a and then something else entirely"),
		Buffer.from("\xff\xd8\xff and then something else entirely", "latin1"),
	];
	for (const bytes of broken) is(await sendFile(url, ana, bytes), 422, "broken-picture");
});

it("a picture of more than 50 megapixels is 422 before it is decoded, whatever is really in it", async () => {
	const began = performance.now();
	is(await sendFile(url, ana, pngOf(100_000, 100_000, deflateSync(Buffer.alloc(1000)))), 422, "too-many-pixels");
	is(await sendFile(url, ana, pngOf(20_000, 20_000, deflateSync(Buffer.alloc(20_000 * 60_001)))), 422, "too-many-pixels");
	const avif = await sharp({ create: { width: 8000, height: 7000, channels: 3, background: "red" } })
		.webp({ effort: 0 })
		.toBuffer();
	is(await sendFile(url, ana, avif), 422, "too-many-pixels");
	assert.ok(performance.now() - began < 60_000);
	const just = await sharp({ create: { width: 10_000, height: 5_000, channels: 3, background: "red" } })
		.png()
		.toBuffer();
	is(await sendFile(url, ana, just), 201);
	kept += 3;
});

it("a file of more than 10 MB is 413, by what it says of itself and by what it is", async () => {
	const large = Buffer.concat([await anyPicture(), Buffer.alloc(10 * 1024 * 1024)]);
	is(await sendFile(url, ana, large), 413, "too-large");
	const more = Buffer.concat([large, Buffer.alloc(1024 * 1024)]);
	is(await sendFile(url, ana, more), 413, "too-large");
	// Without a Content-Length: by what has come.
	const form = new Response(formOf(large));
	const streamed = await fetch(new URL("/api/uploads", url), {
		method: "POST",
		headers: { Authorization: `Bearer ${ana.accessToken}`, "Content-Type": form.headers.get("content-type") ?? "" },
		body: form.body,
		duplex: "half",
	} as RequestInit);
	assert.equal(streamed.status, 413);
	await streamed.text();
});

it("a form must have one file, as `file`, and nothing else", async () => {
	const bytes = await anyPicture();
	const post = (body: unknown, headers?: Record<string, string>) =>
		http(url, "/api/uploads", { method: "POST", token: ana.accessToken, body, keyless: true, ...(headers && { headers }) });
	const path = async (form: FormData) => is(await post(form), 422, "validation").body.errors[0].path;
	assert.equal(await path(formOf(bytes, { field: "picture" })), "picture");
	const two = formOf(bytes);
	two.append("file", new Blob([new Uint8Array(bytes)]), "b.png");
	assert.equal(await path(two), "file");
	const words = new FormData();
	words.append("file", "words");
	assert.equal(await path(words), "file");
	const more = new FormData();
	more.append("ownerId", "somebody");
	more.append("file", new Blob([new Uint8Array(bytes)]), "b.png");
	assert.equal(await path(more), "ownerId");
	assert.equal(await path(new FormData()), "file");
	is(await post({ file: "words" }), 415, "unsupported-media-type");
	is(await post("--x--", { "Content-Type": "multipart/form-data" }), 400, "malformed");
	is(await post("words", { "Content-Type": "multipart/form-data; boundary=x" }), 400, "malformed");
	is(await post("", { "Content-Type": "multipart/form-data; boundary=x" }), 422, "validation");
	is(await http(url, "/api/uploads", { method: "POST", body: formOf(bytes) }), 401, "unauthenticated");
	is(
		await http(url, "/api/uploads?staged=x", { method: "POST", token: ana.accessToken, body: formOf(bytes), keyless: true }),
		422,
		"validation",
	);
});

it("names that are paths, and headers without end, do nothing", async () => {
	const names = ["../../../etc/passwd", "..\\..\\a.png", "/etc/passwd", "a\u0000b.png", "", "\u202egnp.exe", "x".repeat(5000)];
	for (const name of names) {
		const { status } = await sendFile(url, ana, await anyPicture(), { name });
		assert.ok(status === 201 || status === 422 || status === 400, `${name.slice(0, 20)}: ${status}`);
		if (status === 201) kept += 3;
	}
	const bytes = await anyPicture();
	const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n${"X-Long: ".padEnd(100_000, "x")}\r\n\r\n`;
	const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from("\r\n--b--\r\n")]);
	const reply = await fetch(new URL("/api/uploads", url), {
		method: "POST",
		headers: { Authorization: `Bearer ${ana.accessToken}`, "Content-Type": "multipart/form-data; boundary=b" },
		body,
	});
	// Read no further than a header may be long, it is passed over.
	assert.equal(reply.status, 201, await reply.text());
	kept += 3;
});

it("an upload that is cut in the middle is 400 where anybody is left to hear it", async () => {
	const bytes = await anyPicture(700, 700);
	assert.ok(bytes.length > 1024 * 1024);
	const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n`;
	// The form does not end.
	const reply = await fetch(new URL("/api/uploads", url), {
		method: "POST",
		headers: { Authorization: `Bearer ${ana.accessToken}`, "Content-Type": "multipart/form-data; boundary=b" },
		body: Buffer.concat([Buffer.from(head), bytes]),
	});
	assert.deepEqual([reply.status, ((await reply.json()) as { code: string }).code], [400, "malformed"]);
	// The connection ends.
	const { hostname, port, host } = new URL(url);
	for (const end of ["end", "destroy"] as const) {
		const socket = connect({ host: hostname, port: Number(port) });
		await once(socket, "connect");
		socket.on("error", () => {});
		socket.write(
			`POST /api/uploads HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${ana.accessToken}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${bytes.length + 1000}\r\n\r\n${head}`,
		);
		socket.write(bytes.subarray(0, bytes.length - 10));
		await piecesKept(2);
		const answered = text(socket).catch(() => "");
		socket[end]();
		assert.ok(!(await answered).includes(" 201 "));
		await piecesKept(0);
	}
});
