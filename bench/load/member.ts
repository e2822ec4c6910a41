// A member of a room as the generator plays it: Socket.IO 4 by hand, so that receiving costs little and costs the same
// from ours and from the peer. It counts events without parsing them, and notices every gap in our numbers.
import type { WebSocketClient } from "./websocket.ts";
import { openWebSocket } from "./websocket.ts";

export interface Member {
	/** Message events received so far. */
	received: number;
	/** Signals received so far (typing, presence, read marks), and their bytes. */
	signals: number;
	signalBytes: number;
	/** Why figures of this member cannot be trusted: a gap, a `pull`, a lost connection. */
	faults: string[];
	/** Emits an event; resolved with the acknowledgement's arguments as text once it has come. */
	emit(event: string, payload: object): Promise<string>;
	close(): void;
}

const CONNECT = "40";
/** How log events of a group begin on our wire, and how the peer's messages do. */
const OUR_EVENTS = Buffer.from('42["events",{"room":"group:');
const PEER_EVENT = Buffer.from('42["message"');
const SIGNAL = Buffer.from('42["signal"');
const PULL = Buffer.from('42["pull"');
const BYE = Buffer.from('42["bye"');
const SEQ = Buffer.from('"seq":');

const startsWith = (bytes: Buffer, start: number, end: number, what: Buffer): boolean =>
	end - start >= what.length && bytes.compare(what, 0, what.length, start, start + what.length) === 0;

function numberAt(bytes: Buffer, from: number): number {
	let value = 0;
	for (let at = from; ; at++) {
		const digit = (bytes[at] ?? 0) - 48;
		if (digit < 0 || digit > 9) return value;
		value = value * 10 + digit;
	}
}

/** Connects with a token (the peer asks for none); resolved once the namespace is open. */
export async function openMember(url: string, token: string | undefined): Promise<Member> {
	const address = new URL("/socket.io/?EIO=4&transport=websocket", url);
	const waiting = new Map<number, (text: string) => void>();
	let nextId = 0;
	let lastSeq = 0;
	let connection: WebSocketClient | undefined;
	let admitted: () => void = () => {};
	let refused: (error: Error) => void = () => {};
	const ready = new Promise<void>((resolve, reject) => {
		admitted = resolve;
		refused = reject;
	});

	const member: Member = {
		received: 0,
		signals: 0,
		signalBytes: 0,
		faults: [],
		emit: (event, payload) =>
			new Promise((resolve) => {
				const id = nextId++;
				waiting.set(id, resolve);
				connection?.send(`42${id}${JSON.stringify([event, payload])}`);
			}),
		close: () => connection?.close(),
	};

	/** The numbers of one frame follow each other, so its first and its last say how many there are. */
	const countOurs = (bytes: Buffer, start: number, end: number): void => {
		const message = bytes.subarray(start, end);
		const first = numberAt(message, message.indexOf(SEQ) + SEQ.length);
		const last = numberAt(message, message.lastIndexOf(SEQ) + SEQ.length);
		if (lastSeq !== 0 && first !== lastSeq + 1) member.faults.push(`a gap: ${first} after ${lastSeq}`);
		lastSeq = last;
		member.received += last - first + 1;
	};

	const message = (bytes: Buffer, start: number, end: number): void => {
		if (bytes[start] !== 52) {
			// Engine.IO's own packets: 0 opens, 2 is a ping.
			if (bytes[start] === 48) connection?.send(`${CONNECT}${token ? JSON.stringify({ token }) : ""}`);
			else if (bytes[start] === 50) connection?.send("3");
			return;
		}
		switch (bytes[start + 1]) {
			case 50: {
				if (startsWith(bytes, start, end, OUR_EVENTS)) countOurs(bytes, start, end);
				else if (startsWith(bytes, start, end, PEER_EVENT)) member.received++;
				else if (startsWith(bytes, start, end, SIGNAL)) {
					member.signals++;
					member.signalBytes += end - start;
				} else if (startsWith(bytes, start, end, PULL)) member.faults.push("was told to pull");
				else if (startsWith(bytes, start, end, BYE)) member.faults.push("was told bye");
				return;
			}
			case 51: {
				const bracket = bytes.indexOf(91, start + 2);
				const id = numberAt(bytes, start + 2);
				const resolve = waiting.get(id);
				waiting.delete(id);
				resolve?.(bytes.toString("utf8", bracket, end));
				return;
			}
			case 48:
				return admitted();
			case 52:
				return refused(new Error(`The handshake was refused: ${bytes.toString("utf8", start + 2, end)}`));
		}
	};

	// The server speaks first, sometimes in the same packet as the upgrade: by then the connection must be known.
	const early: Buffer[] = [];
	connection = await openWebSocket(address, {
		message: (bytes, start, end) => {
			if (connection) message(bytes, start, end);
			else early.push(Buffer.from(bytes.subarray(start, end)));
		},
		closed: (why) => {
			member.faults.push(why);
			refused(new Error(why));
		},
	});
	for (const bytes of early) message(bytes, 0, bytes.length);
	await ready;
	return member;
}
