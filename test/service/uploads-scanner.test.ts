// The virus scanner: a server here that speaks clamd's protocol, by which a file is judged before it is read.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { after, it } from "node:test";
import { is, person, testApp } from "../support/kit.ts";
import { anyPicture, filesKept, piecesKept, sendFile } from "../support/pictures.ts";

/** What a scanner would find here. */
const VIRUS = "X5O-planted-virus";
/** What it says instead of judging. */
let says: string | undefined | null;
let scanned: Buffer[] = [];

/** clamd's INSTREAM: a command, chunks with their lengths before them, an empty one; then a line. */
async function clamd(socket: Socket): Promise<void> {
	socket.on("error", () => {});
	let given = Buffer.alloc(0);
	const file: Buffer[] = [];
	for await (const chunk of socket as AsyncIterable<Buffer>) {
		given = Buffer.concat([given, chunk]);
		const command = given.indexOf(0);
		if (command === -1) continue;
		assert.equal(given.subarray(0, command).toString(), "zINSTREAM");
		let at = command + 1;
		file.length = 0;
		for (;;) {
			if (at + 4 > given.length) break;
			const length = given.readUInt32BE(at);
			if (length === 0) {
				const whole = Buffer.concat(file);
				scanned.push(whole);
				if (says === null) return void socket.destroy();
				socket.end(`${says ?? (whole.includes(VIRUS) ? "stream: Planted-Virus FOUND" : "stream: OK")}\0`);
				return;
			}
			if (at + 4 + length > given.length) break;
			file.push(given.subarray(at + 4, at + 4 + length));
			at += 4 + length;
		}
	}
}

const server = createServer((socket) => void clamd(socket)).listen(0, "127.0.0.1");
await once(server, "listening");
const app = await testApp({ CLAMD_URL: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` });
after(() => server.close());
const ana = await person(app.url, "Ana");

it("every file goes through the scanner as it came, before it is a picture", async () => {
	scanned = [];
	const bytes = Buffer.concat([await anyPicture(900, 600), Buffer.from("as it came")]);
	is(await sendFile(app.url, ana, bytes), 201);
	assert.deepEqual(scanned, [bytes]);
});

it("a file in which it finds something is 422 `infected`, and nothing of it is kept", async () => {
	const before = await filesKept(app.broker);
	is(await sendFile(app.url, ana, Buffer.concat([await anyPicture(), Buffer.from(VIRUS)])), 422, "infected");
	assert.equal(await filesKept(app.broker), before);
	await piecesKept(0);
});

it("what it does not call clean is not let in: errors, nonsense, silence, no scanner at all are 503", async () => {
	for (const answer of ["INSTREAM size limit exceeded. ERROR", "HTTP/1.1 400 Bad Request", "", null]) {
		says = answer;
		is(await sendFile(app.url, ana, await anyPicture()), 503, "unavailable");
	}
	says = undefined;
	is(await sendFile(app.url, ana, await anyPicture()), 201);
	server.close();
	is(await sendFile(app.url, ana, await anyPicture()), 503, "unavailable");
	await piecesKept(0);
});
