// The shared server and the reading of bodies, spoken to as broken and hostile clients do: on the bare socket.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Exchange } from "../../services/api/answers.ts";
import { makeAnswers } from "../../services/api/answers.ts";
import { MAX_BODY_BYTES, MAX_DEPTH, readBody } from "../../services/api/body.ts";
import { makeDoor } from "../../mixins/door.ts";

const door = makeDoor();
const answers = makeAnswers({ https: false });
let port = 0;

before(async () => {
	door.onRequest(async (req, res) => {
		const exchange: Exchange = { req, res, requestId: "r-1", path: "/echo", query: undefined, extra: [], oauth: false, refusal: undefined };
		try {
			answers.send(exchange, 200, JSON.stringify(await readBody(req, res, req.url === "/form")));
		} catch (error) {
			answers.fail(exchange, error);
		}
	});
	port = await door.listen("127.0.0.1", 0);
});
after(() => door.close(100));

/** Sends bytes as they are; answers what came back until the connection ended or a whole answer is there. */
async function raw(...parts: (string | Buffer)[]): Promise<string> {
	const socket = connect(port, "127.0.0.1");
	let heard = "";
	socket.setEncoding("utf8").on("data", (text: string) => {
		heard += text;
	});
	socket.on("error", () => {});
	await once(socket, "connect");
	for (const part of parts) socket.write(part);
	await Promise.race([once(socket, "close"), new Promise<void>((resolve) => socket.on("data", () => whole(heard) && resolve()))]);
	socket.destroy();
	return heard;
}

function whole(text: string): boolean {
	const end = text.indexOf("\r\n\r\n");
	const length = /content-length: (\d+)/i.exec(text)?.[1];
	return end !== -1 && length !== undefined && Buffer.byteLength(text.slice(end + 4)) >= Number(length);
}

const parse = (answer: string) => ({
	status: Number(answer.split(" ")[1]),
	head: answer.slice(0, answer.indexOf("\r\n\r\n")),
	body: JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)),
});
const post = async (body: string | Buffer, headers: Record<string, string> = {}, path = "/") =>
	parse(
		await raw(
			Buffer.concat([
				Buffer.from(
					`POST ${path} HTTP/1.1\r\nHost: x\r\n${Object.entries({
						"Content-Type": "application/json",
						"Content-Length": String(Buffer.byteLength(body)),
						...headers,
					})
						.map(([name, value]) => `${name}: ${value}\r\n`)
						.join("")}\r\n`,
				),
				Buffer.from(body),
			]),
		),
	);

function isProblem({ status, head, body }: ReturnType<typeof parse>, expected: number): void {
	assert.equal(status, expected, JSON.stringify(body));
	assert.match(head, /content-type: application\/problem\+json/i);
	assert.deepEqual(
		Object.keys(body).filter((key) => ["type", "title", "status", "detail", "instance", "code", "requestId"].includes(key)).length,
		7,
	);
	assert.equal(body.status, expected);
}

describe("the server", () => {
	it("answers what is no HTTP with a problem and closes", async () => {
		const answer = parse(await raw("NONSENSE\r\n\r\n"));
		isProblem(answer, 400);
		assert.match(answer.head, /connection: close/i);
	});

	it("answers headers beyond 16 KB with 431", async () => {
		isProblem(parse(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${"x".repeat(20_000)}\r\n\r\n`)), 431);
		isProblem(parse(await raw(`GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)), 431);
	});

	it("refuses two lengths, a length beside chunks, and an unknown expectation", async () => {
		isProblem(parse(await raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")), 400);
		isProblem(parse(await raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}")), 400);
		isProblem(parse(await raw("POST / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 2\r\n\r\n{}")), 400);
	});

	it("says in a sentence that a port is taken", async () => {
		await assert.rejects(
			makeDoor().listen("127.0.0.1", port),
			(error: Error & { sentence?: true }) => error.sentence === true && error.message.includes(`Port ${port} of 127.0.0.1 is in use`),
		);
	});
});

describe("a body", () => {
	it("is read where it is good", async () => {
		assert.deepEqual((await post('{"a":[1,{"b":"é"}]}')).body, { a: [1, { b: "é" }] });
		assert.deepEqual((await post("{}", { "Content-Type": 'Application/JSON; charset="UTF-8"' })).body, {});
		assert.deepEqual((await post("", { "Content-Type": "text/plain" })).body, {});
		assert.deepEqual((await post("a=1&b=x%20y", { "Content-Type": "application/x-www-form-urlencoded" }, "/form")).body, {
			a: "1",
			b: "x y",
		});
	});

	it("that is no JSON or no UTF-8 is 400", async () => {
		for (const body of [
			"{",
			"{'a':1}",
			'{"a":NaN}',
			'{"a":1,}',
			Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
			Buffer.from([0xed, 0xa0, 0x80]),
		])
			isProblem(await post(body), 400);
		isProblem(await post("a=1&a=2", { "Content-Type": "application/x-www-form-urlencoded" }, "/form"), 400);
	});

	it("that is no object, or too deep, is 422", async () => {
		for (const body of ["[]", "1", '"x"', "null", "true"]) isProblem(await post(body), 422);
		const deep = (levels: number) => `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
		isProblem(await post(deep(MAX_DEPTH)), 422);
		isProblem(await post(deep(40_000)), 422);
		assert.equal((await post(deep(MAX_DEPTH - 1))).status, 200);
	});

	it("of another type, charset or coding is 415", async () => {
		const others: Record<string, string>[] = [
			{ "Content-Type": "text/plain" },
			{ "Content-Type": "" },
			{ "Content-Type": "application/json; charset=latin1" },
			{ "Content-Type": "application/jsonx" },
			{ "Content-Encoding": "gzip" },
			{ "Content-Encoding": "identity, br" },
			{ "Content-Type": "application/x-www-form-urlencoded" },
		];
		for (const headers of others) isProblem(await post("{}", headers), 415);
	});

	it("that says it is too large is 413 before a byte of it is sent", async () => {
		const answer = parse(
			await raw(
				`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${MAX_BODY_BYTES + 1}\r\n\r\n`,
			),
		);
		isProblem(answer, 413);
		assert.match(answer.head, /connection: close/i);
	});

	it("that grows too large in chunks is 413, and its sender gets to read it", async () => {
		const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
		isProblem(
			parse(
				await raw(
					"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
					...new Array<string>(40).fill(chunk),
				),
			),
			413,
		);
		const response = await fetch(`http://127.0.0.1:${port}/`, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ a: "x".repeat(5_000_000) }),
		});
		assert.equal(response.status, 413);
		assert.equal(((await response.json()) as { code: string }).code, "too-large");
	});

	it("is asked for with 100 Continue when it is going to be read", async () => {
		const socket = connect(port, "127.0.0.1");
		socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
		const [first] = await once(socket, "data");
		assert.match(String(first), /^HTTP\/1\.1 100 Continue/);
		socket.write("{}");
		const [second] = await once(socket, "data");
		assert.match(String(second), /^HTTP\/1\.1 200 OK/);
		socket.destroy();
	});
});

describe("a slow client", () => {
	it("whose body does not come is answered 408 by who reads it, long before the server gives up", async () => {
		const patient = makeDoor();
		patient.onRequest((req, res) => {
			const exchange = { req, res, requestId: "r", path: "/", query: undefined, extra: [], oauth: false, refusal: undefined };
			readBody(req, res, false, 50).catch((error) => answers.fail(exchange, error));
		});
		const at = await patient.listen("127.0.0.1", 0);
		const socket = connect(at, "127.0.0.1");
		socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
		const [answer] = await once(socket, "data");
		assert.match(String(answer), /^HTTP\/1\.1 408 /);
		socket.destroy();
		await patient.close(100);
	});

	it("is answered 408 and let go, with its headers as with its body", async () => {
		const impatient = makeDoor({ headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 });
		impatient.onRequest((req) => void req.resume());
		const at = await impatient.listen("127.0.0.1", 0);
		for (const start of [
			"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
			"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		]) {
			const socket = connect(at, "127.0.0.1");
			socket.write(start);
			const [answer] = await once(socket, "data");
			isProblem(parse(String(answer)), 408);
			if (!socket.closed) await once(socket, "close");
		}
		await impatient.close(100);
	});
});

/** How a request on a connection of its own ends: "answered", or the code of the error. */
function endOf(port: number): Promise<string> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");
		socket.end("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		socket.once("data", () => resolve("answered")).once("error", ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
		socket.once("close", () => resolve("closed without a word"));
	});
}

describe("a door that drains", () => {
	it("answers on, ends each connection, then takes no more", async () => {
		const leaving = makeDoor();
		leaving.onRequest((_req, res) => res.end("{}"));
		const at = await leaving.listen("127.0.0.1", 0);
		assert.equal((await fetch(`http://127.0.0.1:${at}/`)).headers.get("connection"), "keep-alive");
		leaving.drain();
		assert.equal(leaving.draining, true);
		assert.equal((await fetch(`http://127.0.0.1:${at}/`)).headers.get("connection"), "close");
		await leaving.close(1_000);
		await assert.rejects(fetch(`http://127.0.0.1:${at}/`));
		await leaving.close(1_000);
	});

	it("answers or refuses whoever comes while it closes, and resets nobody", async () => {
		const ends: Record<string, number> = {};
		for (let round = 0; round < 20; round++) {
			const leaving = makeDoor();
			leaving.onRequest((_req, res) => res.end("{}"));
			const at = await leaving.listen("127.0.0.1", 0);
			leaving.drain();
			const came: Promise<string>[] = [];
			let closed = false;
			const closing = leaving.close(60_000).then(() => {
				closed = true;
			});
			for (; !closed; await nextTurn(), await nextTurn()) came.push(endOf(at));
			for (const end of await Promise.all(came)) ends[end] = (ends[end] ?? 0) + 1;
			await closing;
		}
		const { answered = 0, ECONNREFUSED = 0, ...others } = ends;
		assert.ok(answered > 0 && ECONNREFUSED > 0, JSON.stringify(ends));
		assert.deepEqual(others, {});
	});

	it("answers what arrives on a connection that was open when it closed, and ends what stays idle", async () => {
		const leaving = makeDoor();
		leaving.onRequest((_req, res) => res.end("{}"));
		const at = await leaving.listen("127.0.0.1", 0);
		const [busy, idle] = [connect(at, "127.0.0.1"), connect(at, "127.0.0.1")];
		await Promise.all([once(busy, "connect"), once(idle, "connect")]);
		idle.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		await once(idle, "data");
		const idleEnded = once(idle, "close");
		const closed = leaving.close(60_000, 300);
		busy.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		const [answer] = await once(busy, "data");
		assert.match(String(answer), /^HTTP\/1.1 200 .*connection: close/is);
		idle.resume();
		await Promise.all([closed, idleEnded]);
	});
});
