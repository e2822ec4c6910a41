// Writing answers: the headers every answer has, problems in their one shape, and what happens to a body nobody will read.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isProblem, toProblem } from "../contracts/errors.ts";
import type { WireProblem } from "../contracts/errors.ts";
import { bodyComes, MAX_BODY_BYTES } from "./body.ts";

/** What the door knows of one request besides the request itself. */
export interface Exchange {
	readonly req: IncomingMessage;
	readonly res: ServerResponse;
	readonly requestId: string;
	/** Without the query, which may hold what must not be logged or repeated. */
	readonly path: string;
	/** Without the question mark; undefined where there is none. */
	readonly query: string | undefined;
	/** Headers that this answer has besides: name, value, name, value. */
	readonly extra: string[];
	/** RFC 6749 refusals for this one. */
	oauth: boolean;
	/** Why the token that came with the request was not good. */
	refusal: unknown;
	/** Who asks is said by a cookie: then the answer's tokens, too, go where no page can read them. */
	byCookie?: boolean;
}

/** What is said of a file before its bytes. */
export interface FileHead {
	/** Fit for a header: letters, digits, `.`, `-` and `_`. */
	name: string;
	/** Its media type. */
	type: string;
	/** Bytes. */
	size: number;
	/** To be shown where it is asked for, on pages of others too; default: to be kept as a file. */
	inline?: boolean;
	/** In quotes. Whoever has it already is answered 304. */
	etag?: string;
	/** Cache-Control; default: nobody keeps it. */
	cache?: string;
}

export interface Answers {
	/** `text` is JSON; undefined for no body. */
	send(exchange: Exchange, status: number, text: string | undefined, cache?: string): void;
	/** A file, piece by piece, as fast as the client takes it; `next` answers undefined after the last one. */
	file(exchange: Exchange, file: FileHead, next: () => Promise<Buffer | undefined>): Promise<void>;
	/** Answers the problem that an error stands for; anything unknown is 500 without a word of it. */
	fail(exchange: Exchange, error: unknown): WireProblem;
}

/** How much of a refused body is read and thrown away, so that the client gets to read the answer. */
const LINGER_BYTES = 16 * 1024 * 1024;
const LINGER_MS = 2_000;

export function makeAnswers({ https }: { https: boolean }): Answers {
	const headers = (policy: string, origins: string): string[] =>
		[
			["X-Content-Type-Options", "nosniff"],
			["Content-Security-Policy", policy],
			["Referrer-Policy", "no-referrer"],
			["Cross-Origin-Resource-Policy", origins],
			...(https ? [["Strict-Transport-Security", "max-age=31536000; includeSubDomains"]] : []),
		].flat();
	const always = headers("default-src 'none'; frame-ancestors 'none'", "same-origin");
	// What somebody has sent: opened by itself it is nobody's page, and a front end on another origin may show it.
	const shown = headers("default-src 'none'; frame-ancestors 'none'; sandbox", "cross-origin");

	const write = (exchange: Exchange, status: number, text: string | undefined, type: string, cache: string): void => {
		const { req, res, requestId, extra } = exchange;
		if (res.headersSent || res.destroyed) return;
		const headers = [...always, "X-Request-Id", requestId, "Cache-Control", cache, ...extra];
		if (text !== undefined) headers.push("Content-Type", type, "Content-Length", String(Buffer.byteLength(text)));
		if (req.complete || !bodyComes(req) || isSmall(req)) {
			res.writeHead(status, headers);
			res.end(text);
			return;
		}
		headers.push("Connection", "close");
		res.writeHead(status, headers);
		linger(req, res, text);
	};

	return {
		send: (exchange, status, text, cache = "no-store") => write(exchange, status, text, "application/json; charset=utf-8", cache),
		async file({ req, res, requestId, extra }, { name, type, size, inline = false, etag, cache = "private, no-store" }, next) {
			if (res.headersSent || res.destroyed) return;
			const first = [...(inline ? shown : always), "X-Request-Id", requestId, "Cache-Control", cache, ...(etag ? ["ETag", etag] : [])];
			if (etag !== undefined && hasIt(req, etag)) {
				res.writeHead(304, [...first, ...extra]);
				return void res.end();
			}
			const disposition = `${inline ? "inline" : "attachment"}; filename="${name}"`;
			const said = ["Content-Type", type, "Content-Length", String(size), "Content-Disposition", disposition];
			res.writeHead(200, [...first, ...extra, ...said]);
			if (req.method === "HEAD") return void res.end();
			try {
				await pipeline(Readable.from(pieces(next)), res);
			} catch {
				// The client sees by the length that it is not whole; what is on its way cannot be taken back.
				res.destroy();
			}
		},
		fail(exchange, error) {
			const { extra, path: instance } = exchange;
			// A kept refusal is repeated with the request id it was given with (mixins/idempotency.ts).
			const kept = isProblem(error) ? error.data?.keptRequestId : undefined;
			const wire = toProblem(error, { instance, requestId: typeof kept === "string" ? kept : exchange.requestId });
			if (kept !== undefined) {
				delete wire.keptRequestId;
				extra.push("Idempotent-Replayed", "true");
			}
			if (wire.status === 401) extra.push("WWW-Authenticate", challenge(exchange));
			if (typeof wire.retryAfter === "number") extra.push("Retry-After", String(wire.retryAfter));
			if (typeof wire.allow === "string") extra.push("Allow", wire.allow);
			const oauth = exchange.oauth ? oauthBody(wire) : undefined;
			if (oauth) write(exchange, oauth.status, JSON.stringify(oauth.body), "application/json; charset=utf-8", "no-store");
			else write(exchange, wire.status, JSON.stringify(wire), "application/problem+json", "no-store");
			return wire;
		},
	};
}

/** What a 401 asks for: at the endpoints of OAuth it is the client that was not believed. */
const challenge = ({ oauth, refusal }: Exchange): string =>
	oauth ? 'Basic realm="reloop", charset="UTF-8"' : refusal ? 'Bearer error="invalid_token"' : "Bearer";

async function* pieces(next: () => Promise<Buffer | undefined>): AsyncGenerator<Buffer> {
	for (let piece = await next(); piece !== undefined; piece = await next()) yield piece;
}

/** RFC 9110, 13.1.2. */
function hasIt({ headers }: IncomingMessage, etag: string): boolean {
	const given = headers["if-none-match"];
	return given !== undefined && (given.trim() === "*" || given.split(",").some((one) => one.trim().replace(/^W\//, "") === etag));
}

/** RFC 6749 section 5.2: what is wrong with the request has a word there; limits and faults of ours have not. */
function oauthBody(wire: WireProblem): { status: number; body: { error: string; error_description: string } } | undefined {
	const given = wire.oauth as { error: string; error_description?: string } | undefined;
	if (given) return { status: wire.status, body: { error: given.error, error_description: given.error_description ?? wire.detail } };
	if (wire.status >= 500 || wire.status === 429 || wire.status === 404 || wire.status === 405) return undefined;
	return { status: 400, body: { error: "invalid_request", error_description: wire.detail } };
}

/** Node reads the rest of a short body by itself, and the connection lives on. */
function isSmall(req: IncomingMessage): boolean {
	return (
		req.headers.expect === undefined &&
		req.headers["transfer-encoding"] === undefined &&
		Number(req.headers["content-length"]) <= MAX_BODY_BYTES
	);
}

/** Closing on a client that still sends would destroy the answer on its way: read on for a while, then close. */
function linger(req: IncomingMessage, res: ServerResponse, text: string | undefined): void {
	if (text !== undefined) res.write(text);
	let left = LINGER_BYTES;
	const close = (): void => {
		clearTimeout(timer);
		res.end();
	};
	const timer = setTimeout(close, LINGER_MS);
	req.on("data", (chunk: Buffer) => {
		left -= chunk.length;
		if (left < 0) close();
	});
	req.on("end", close).on("close", close);
}
