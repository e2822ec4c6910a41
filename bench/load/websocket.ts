// A WebSocket client as small as it can be: the generator shares two cores with what it measures, so it must not spend
// them on a library's generality. Client frames are masked, as the protocol asks; no extensions, no fragments are offered.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { connect } from "node:net";

export interface WebSocketClient {
	send(text: string): void;
	close(): void;
}

export interface Listener {
	/** `bytes[start, end)` is one text message; valid during the call only. */
	message(bytes: Buffer, start: number, end: number): void;
	/** The server ended the connection. */
	closed(why: string): void;
}

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const NOTHING = Buffer.alloc(0);

/** Connects; resolved when the server has switched protocols. */
export function openWebSocket(url: URL, listener: Listener): Promise<WebSocketClient> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
		let pending: Buffer = NOTHING;
		let open = false;
		let ended = false;
		socket.once("connect", () => socket.write(upgrade(url)));
		socket.on("error", (error) => (open ? undefined : reject(error)));
		socket.on("close", () => {
			if (!open) reject(new Error("The connection ended before the upgrade."));
			else if (!ended) listener.closed("connection lost");
		});
		socket.on("data", (chunk) => {
			let bytes = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
			if (!open) {
				const end = bytes.indexOf("\r\n\r\n");
				if (end === -1) {
					pending = bytes;
					return;
				}
				const head = bytes.toString("latin1", 0, end);
				if (!head.startsWith("HTTP/1.1 101")) {
					reject(new Error(`The upgrade was refused: ${head.split("\r\n", 1)[0]}`));
					socket.destroy();
					return;
				}
				open = true;
				bytes = bytes.subarray(end + 4);
				resolve({
					send: (text) => socket.write(frame(TEXT, Buffer.from(text))),
					close() {
						ended = true;
						socket.destroy();
					},
				});
			}
			pending = bytes.subarray(read(bytes, socket, listener));
		});
	});
}

/** Hands on every whole frame; answers where the first incomplete one begins. */
function read(bytes: Buffer, socket: Socket, listener: Listener): number {
	let at = 0;
	while (bytes.length - at >= 2) {
		const opcode = (bytes[at] as number) & 0x0f;
		let length = (bytes[at + 1] as number) & 0x7f;
		let start = at + 2;
		if (length === 126) {
			if (bytes.length - at < 4) break;
			length = bytes.readUInt16BE(at + 2);
			start = at + 4;
		} else if (length === 127) {
			if (bytes.length - at < 10) break;
			length = bytes.readUInt32BE(at + 6);
			start = at + 10;
		}
		const end = start + length;
		if (end > bytes.length) break;
		if (opcode === TEXT) listener.message(bytes, start, end);
		else if (opcode === PING) socket.write(frame(10, bytes.subarray(start, end)));
		else if (opcode === CLOSE) listener.closed("closed by the server");
		at = end;
	}
	return at;
}

function upgrade(url: URL): string {
	return `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`;
}

function frame(opcode: number, payload: Buffer): Buffer {
	const long = payload.length > 125;
	const head = long ? 8 : 6;
	const bytes = Buffer.allocUnsafe(head + payload.length);
	bytes[0] = 0x80 | opcode;
	if (long) {
		if (payload.length > 0xffff) throw new Error("The generator sends small messages only.");
		bytes[1] = 0x80 | 126;
		bytes.writeUInt16BE(payload.length, 2);
	} else {
		bytes[1] = 0x80 | payload.length;
	}
	const key = (Math.random() * 0x1_0000_0000) >>> 0;
	bytes.writeUInt32BE(key, head - 4);
	for (let index = 0; index < payload.length; index++) {
		bytes[head + index] = (payload[index] as number) ^ (bytes[head - 4 + (index & 3)] as number);
	}
	return bytes;
}
