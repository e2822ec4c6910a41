// The one HTTP server of this process. Both doors attach to it: api as the handler of requests, Socket.IO by `server`.
// It guards against slow and broken clients, listens only when told that everything is ready, and closes in two steps.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, STATUS_CODES } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { ServiceBroker } from "moleculer";
import { problem, toProblem } from "../services/contracts/errors.ts";
import type { ProblemCode } from "../services/contracts/problems.ts";
import { endListening } from "./end-listening.ts";
import { perBroker } from "./per-broker.ts";

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

export interface Door {
	readonly server: Server;
	/** True from the moment the process has been told to stop: not ready, and each answer ends its connection. */
	readonly draining: boolean;
	/** Sets what answers requests that Socket.IO does not take. */
	onRequest(handler: RequestHandler): void;
	/** Starts to listen; answers the port (the one chosen, for 0). Rejects with a sentence for people. */
	listen(host: string, port: number): Promise<number>;
	/** First step: go on answering, but say that this process is leaving. */
	drain(): void;
	/**
	 * Second step: no new connections. One that is there is answered once more and ends: a client may be using it at this very
	 * moment. What is idle after `idleGraceMs` ends then, all others after `graceMs`. Safe to call twice.
	 */
	close(graceMs: number, idleGraceMs?: number): Promise<void>;
}

/** Seconds are in milliseconds. A file of 10 MB may come over a slow line; what is no file is waited for less (services/api/body.ts). The server looks for overdue connections every `connectionsCheckingInterval`. */
const PATIENCE = { headersTimeout: 10_000, requestTimeout: 120_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 2_000 };
const MAX_HEADER_BYTES = 16 * 1024;
/** So many may wait to be let in. With Node's 511 a crowd that comes back at once is dropped by the system, and tries again many seconds later. */
const BACKLOG = 4_096;

/** What Node's parser says about a request that never became one. */
const PARSER_PROBLEMS: Record<string, ProblemCode> = {
	HPE_HEADER_OVERFLOW: "headers-too-large",
	HPE_CHUNK_EXTENSIONS_OVERFLOW: "too-large",
	ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

/** The door of this broker's process; the same one for every service on it. */
export const door = perBroker(() => makeDoor());

/** How a door of this process is: fine, until the process leaves. */
export function doorHealth(broker: ServiceBroker): { status: "ok" | "down"; checks: { server: { status: "ok" | "down" } } } {
	const status = door(broker).draining ? "down" : "ok";
	return { status, checks: { server: { status } } };
}

/** `patience`: how long clients may take, in milliseconds; see PATIENCE. */
export function makeDoor(patience: Partial<typeof PATIENCE> = {}): Door {
	// The Host header is asked for by our own handler, which answers a problem; Node would answer an empty 400.
	const server = createServer({ ...PATIENCE, ...patience, maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false });
	let handler: RequestHandler = (_req, res) => refuse(res, "draining");
	let draining = false;
	let closed: Promise<void> | undefined;

	const answer: RequestHandler = (req, res) => {
		if (draining) res.setHeader("Connection", "close");
		return handler(req, res);
	};
	// One listener for good: Socket.IO, whenever it attaches, takes over what is there and asks it for all but its own path.
	server.on("request", answer);
	// A client that waits for "100 Continue" gets it when its body is going to be read, not before.
	server.on("checkContinue", answer);
	server.on("checkExpectation", (_req, res) => refuse(res, "bad-header"));
	server.on("clientError", refuseRaw);

	return {
		server,
		get draining() {
			return draining;
		},
		onRequest(next) {
			handler = next;
		},
		listen: (host, port) =>
			new Promise((resolve, reject) => {
				const failed = (error: NodeJS.ErrnoException): void =>
					reject(Object.assign(new Error(listenSentence(error, host, port), { cause: error }), { sentence: true }));
				server.once("error", failed);
				server.listen({ port, host, backlog: BACKLOG }, () => {
					server.off("error", failed);
					resolve((server.address() as AddressInfo).port);
				});
			}),
		drain() {
			draining = true;
		},
		close(graceMs, idleGraceMs = 0) {
			draining = true;
			closed ??= server.listening ? leave(server, graceMs, Math.min(graceMs, idleGraceMs)) : Promise.resolve();
			return closed;
		},
	};
}

async function leave(server: Server, graceMs: number, idleGraceMs: number): Promise<void> {
	const allGone = once(server, "close");
	await endListening(server);
	// Behind what has arrived by now: a connection is idle when nothing is left to be read from it.
	const idle = setTimeout(() => setImmediate(() => server.closeIdleConnections()), idleGraceMs);
	const late = setTimeout(() => server.closeAllConnections(), graceMs);
	await allGone;
	clearTimeout(idle);
	clearTimeout(late);
	// It looks for overdue connections until it is told that there are none any more.
	server.close();
}

function listenSentence(error: NodeJS.ErrnoException, host: string, port: number): string {
	switch (error.code) {
		case "EADDRINUSE":
			return `Port ${port} of ${host} is in use. Stop what listens there, or set PORT to a free one.`;
		case "EACCES":
			return `Port ${port} of ${host} may not be opened by this user. Set PORT to one above 1023.`;
		case "EADDRNOTAVAIL":
		case "ENOTFOUND":
			return `HOST is ${host}, which is no address of this machine.`;
		default:
			return `Port ${port} of ${host} could not be opened: ${error.code ?? error.message}.`;
	}
}

function body(code: ProblemCode): { status: number; text: string } {
	const wire = toProblem(problem(code), { instance: "/", requestId: randomUUID() });
	return { status: wire.status, text: JSON.stringify(wire) };
}

function refuse(res: ServerResponse, code: ProblemCode): void {
	const { status, text } = body(code);
	res.writeHead(status, { "Content-Type": "application/problem+json", "Content-Length": Buffer.byteLength(text), Connection: "close" });
	res.end(text);
}

/** Answers on the bare socket: there is no request to answer to. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Duplex): void {
	// An answer that has begun must not get a second one into its middle.
	const busy = (socket as Duplex & { _httpMessage?: ServerResponse })._httpMessage;
	if (error.code === "ECONNRESET" || !socket.writable || busy?.headersSent) {
		socket.destroy();
		return;
	}
	const { status, text } = body(PARSER_PROBLEMS[error.code ?? ""] ?? "malformed");
	socket.end(
		`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
	);
}
