// Reading a request's body: refused by its header before a byte is read, bounded while it is read, strict UTF-8, JSON with
// bounded depth, a plain object. Compressed bodies are refused: inflating a small one may cost anything.
import type { IncomingMessage, ServerResponse } from "node:http";
import { problem } from "../contracts/errors.ts";

export const MAX_BODY_BYTES = 100 * 1024;
/** So long (ms) a body of that size may take to come. */
const PATIENCE_MS = 30_000;
/** Objects and lists inside each other. The contracts need four. */
export const MAX_DEPTH = 64;

export type Params = Record<string, unknown>;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Says by headers alone whether a body will come. */
export function bodyComes(req: IncomingMessage): boolean {
	return req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;
}

/**
 * The body as an object; `{}` where none comes. Throws 413 too-large, 415 unsupported-media-type, 400 malformed,
 * 408 request-timeout, 422 validation.
 */
export async function readBody(req: IncomingMessage, res: ServerResponse, acceptForm: boolean, patienceMs?: number): Promise<Params> {
	if (!bodyComes(req)) return {};
	if (Number(req.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw problem("too-large", { detail: tooLarge });
	const form = mediaType(req, acceptForm) === "form";
	if (req.headers.expect !== undefined) res.writeContinue();
	const text = decode(await readBytes(req, patienceMs));
	return form ? parseForm(text) : parseJson(text);
}

/** With a byte order mark, where there is one: what is read is what was sent. */
const exact = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The body to the byte, whatever it is. Throws 413 too-large, 415 unsupported-media-type, 400 malformed. */
export async function readRaw(req: IncomingMessage, res: ServerResponse): Promise<string> {
	if (!bodyComes(req)) return "";
	if (Number(req.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw problem("too-large", { detail: tooLarge });
	refuseCompressed(req);
	if (req.headers.expect !== undefined) res.writeContinue();
	return decode(await readBytes(req), exact);
}

export function refuseCompressed({ headers }: IncomingMessage): void {
	const coding = headers["content-encoding"];
	if (coding !== undefined && coding.toLowerCase() !== "identity")
		throw problem("unsupported-media-type", { detail: "A compressed body is not accepted." });
}

const tooLarge = `A body has at most ${MAX_BODY_BYTES} bytes.`;

function mediaType(req: IncomingMessage, acceptForm: boolean): "json" | "form" {
	refuseCompressed(req);
	const [type = "", ...parameters] = (req.headers["content-type"] ?? "").toLowerCase().split(";");
	for (const parameter of parameters) {
		const [name = "", value = ""] = parameter.split("=");
		if (name.trim() === "charset" && !/^"?utf-?8"?$/.test(value.trim()))
			throw problem("unsupported-media-type", { detail: "The only charset is UTF-8." });
	}
	if (type.trim() === "application/json") return "json";
	if (acceptForm && type.trim() === "application/x-www-form-urlencoded") return "form";
	throw problem("unsupported-media-type", {
		detail: `The body must be application/json${acceptForm ? " or application/x-www-form-urlencoded" : ""}.`,
	});
}

function readBytes(req: IncomingMessage, patienceMs = PATIENCE_MS): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let length = 0;
		const late = setTimeout(() => {
			stop();
			reject(problem("request-timeout"));
		}, patienceMs);
		const stop = (): void => {
			clearTimeout(late);
			req.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
		};
		const onData = (chunk: Buffer): void => {
			length += chunk.length;
			if (length > MAX_BODY_BYTES) {
				stop();
				reject(problem("too-large", { detail: tooLarge }));
			} else chunks.push(chunk);
		};
		const onEnd = (): void => {
			stop();
			resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length));
		};
		// The client went away in the middle: nobody will read the answer, but the request has to end.
		const onGone = (): void => {
			stop();
			reject(problem("malformed", { detail: "The body ended early." }));
		};
		if (req.destroyed) return onGone();
		req.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
	});
}

function decode(bytes: Buffer, decoder = utf8): string {
	try {
		return decoder.decode(bytes);
	} catch {
		throw problem("malformed", { detail: "The body is not UTF-8." });
	}
}

function parseJson(text: string): Params {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		throw problem("malformed", { detail: "The body is not JSON." });
	}
	if (typeof value !== "object" || value === null || Array.isArray(value))
		throw problem("validation", { errors: [{ path: "", code: "type", message: "must be an object" }] });
	if (!fits(value, MAX_DEPTH))
		throw problem("validation", { errors: [{ path: "", code: "type", message: `must not be nested deeper than ${MAX_DEPTH}` }] });
	return value as Params;
}

function fits(value: object, deeper: number): boolean {
	if (deeper === 0) return false;
	for (const inner of Array.isArray(value) ? value : Object.values(value)) {
		if (typeof inner === "object" && inner !== null && !fits(inner, deeper - 1)) return false;
	}
	return true;
}

function parseForm(text: string): Params {
	const params: Params = {};
	for (const [name, value] of new URLSearchParams(text)) {
		if (Object.hasOwn(params, name)) throw problem("malformed", { detail: `${JSON.stringify(name.slice(0, 60))} is there twice.` });
		params[name] = value;
	}
	return params;
}
