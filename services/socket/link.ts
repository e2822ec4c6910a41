// One connected socket of one signed-in client: who it is, how long, and how much waits to be sent to it.
import type { Socket } from "socket.io";
import type { Principal } from "../contracts/index.ts";
import type { ServerEventName, ServerPayload } from "../contracts/socket.ts";
import type { Link } from "./rooms/seat.ts";

/** Past this a socket is slow: it gets no more live events until it asks. */
const SLOW_BYTES = 2_000_000;
const SLOW_PACKETS = 512;
/** Past this it is cut off: it goes on asking without ever reading. */
const HOPELESS_BYTES = 16_000_000;
/** The longest a farewell waits for what is being answered, and for the client to take it (ms). */
const LAST_WORDS_MS = 1_500;

/** What of Engine.IO's connection tells how much waits: its own queue, and the queue of the WebSocket below. */
interface Connection {
	readyState: string;
	writeBuffer: { data?: string | Buffer; options?: { wsPreEncodedFrame?: Buffer[] } }[];
	transport: { socket?: { bufferedAmount?: number } };
	close(discard?: boolean): void;
}

export class SocketLink implements Link {
	readonly socket: Socket;
	readonly address: string;
	readonly userAgent: string;
	/** Names this socket to the presence node. */
	readonly connectionId: string;
	principal: Principal;
	/** When the token ends, in ms since 1970. */
	expiresAt: number;
	/** The key that signed it. */
	kid: string;
	expiry: NodeJS.Timeout | undefined;
	/** Events that are being answered. */
	inFlight = 0;
	/** Refusals for too many requests, in a row. */
	refusals = 0;
	typedAt = Number.NEGATIVE_INFINITY;
	/** Lets go of the profile's own room, which waits a moment after the connect for a `resume`. */
	onResume: (() => void) | undefined;
	#ended = false;
	#onIdle: (() => void) | undefined;

	constructor(
		socket: Socket,
		{
			principal,
			expiresAt,
			kid,
			address,
			userAgent,
			connectionId,
		}: { principal: Principal; expiresAt: number; kid: string; address: string; userAgent: string; connectionId: string },
	) {
		this.socket = socket;
		this.principal = principal;
		this.expiresAt = expiresAt;
		this.kid = kid;
		this.address = address;
		this.userAgent = userAgent;
		this.connectionId = connectionId;
	}

	get id(): string {
		return this.socket.id;
	}
	get profileId(): string {
		return this.principal.profileId;
	}
	/** True once it was told to go: nothing more is done for it. */
	get ended(): boolean {
		return this.#ended;
	}

	slow(): boolean {
		const { writeBuffer } = this.#connection;
		return writeBuffer.length > SLOW_PACKETS || this.backlog() > SLOW_BYTES;
	}

	/** Bytes that wait to be sent, about. */
	backlog(): number {
		const { writeBuffer, transport } = this.#connection;
		let bytes = transport.socket?.bufferedAmount ?? 0;
		for (const { data, options } of writeBuffer) bytes += options?.wsPreEncodedFrame?.at(-1)?.length ?? data?.length ?? 0;
		return bytes;
	}

	/** It sends requests and reads no answers. */
	hopeless(): boolean {
		return this.backlog() > HOPELESS_BYTES;
	}

	send<E extends ServerEventName>(event: E, payload: ServerPayload<E>): void {
		this.socket.emit(event, payload);
	}

	tune(room: string, on: boolean): void {
		if (on) void this.socket.join(tuned(room));
		else void this.socket.leave(tuned(room));
	}

	/** An event has been answered. */
	answered(): void {
		this.inFlight--;
		if (this.inFlight === 0) this.#onIdle?.();
	}

	/**
	 * Says why and closes. A stock client comes back by itself after a lost connection, but not after being disconnected:
	 * so a drain, which wants it back elsewhere, only drops the connection, and before that answers what is being answered.
	 */
	end(bye: ServerPayload<"bye">): void {
		if (this.#ended) return;
		this.#ended = true;
		clearTimeout(this.expiry);
		this.send("bye", bye);
		const connection = this.#connection;
		if (bye.reason !== "drain") this.socket.disconnect(true);
		else if (this.inFlight === 0) connection.close();
		else this.#onIdle = () => connection.close();
		if (connection.readyState === "closed") return;
		setTimeout(() => connection.close(true), LAST_WORDS_MS).unref();
	}

	/** For one that does not listen any more. */
	cut(): void {
		this.#ended = true;
		this.#connection.close(true);
	}

	get #connection(): Connection {
		// Its queue is private to Engine.IO, and nothing else says how much waits.
		return this.socket.conn as unknown as Connection;
	}
}

/** Socket.IO's name for those who hear a room live; the prefix keeps it apart from the rooms named by socket ids. */
export const tuned = (room: string): string => `live ${room}`;
