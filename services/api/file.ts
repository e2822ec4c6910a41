// Taking a file: a form with one field, read as it comes and handed to the node piece by piece, so that no process ever holds more of it
// than a piece, and no piece is larger than what NATS carries. The next one is read when the node has taken the one before. What does not
// come whole leaves nothing.
import { createHash } from "node:crypto";
import { Busboy } from "@fastify/busboy";
import type { BusboyFileStream, BusboyInstance } from "@fastify/busboy";
import type { Context } from "moleculer";
import { problem } from "../contracts/errors.ts";
import type { Meta } from "../contracts/index.ts";
import type { Exchange } from "./answers.ts";
import { bodyComes, refuseCompressed } from "./body.ts";
import type { FileField } from "./route.ts";

/** In base64 it fits into a message of NATS. */
const PIECE_BYTES = 512 * 1024;
/** What a form may have around its file. */
const FORM_BYTES = 64 * 1024;
const LIMITS = { files: 1, fields: 1, parts: 4, fieldSize: 1024, headerPairs: 32, headerSize: 8 * 1024 };

export interface TakenFile {
	/** SHA-256 of the file, in hexadecimal. */
	digest: string;
	/** For the action. */
	params: { staged: string; parts: number };
	/** Forgets the pieces where the action does not take them: it refuses, or an older answer is repeated. */
	untilAnswered<T>(answer: Promise<T>, meta: Meta): Promise<T>;
}

const wrong = (path: string, code: string, message: string) =>
	problem("validation", { errors: [{ path: path.slice(0, 100), code, message }] });
const early = () => problem("malformed", { detail: "The body ended early." });

/** Reads the form of a request. Throws 400 malformed, 413 too-large, 415 unsupported-media-type, 422 validation, and what the node says. */
export async function takeFile(
	ctx: Context,
	{ req, res }: Exchange,
	{ field, mostBytes, begin, piece, drop }: FileField,
): Promise<TakenFile> {
	const tooLarge = () => problem("too-large", { detail: `A file has at most ${mostBytes} bytes.` });
	refuseCompressed(req);
	if (!/^multipart\/form-data\s*(;|$)/i.test(req.headers["content-type"] ?? ""))
		throw problem("unsupported-media-type", { detail: `The body must be multipart/form-data, with the file as \`${field}\`.` });
	if (!bodyComes(req)) throw wrong(field, "required", "is missing");
	if (Number(req.headers["content-length"] ?? 0) > mostBytes + FORM_BYTES) throw tooLarge();
	const form = parserOf(req.headers["content-type"] as string, mostBytes);
	const { staged } = await ctx.call<{ staged: string }, object>(begin, {});
	let sending: Promise<unknown> = Promise.resolve();
	let over = false;
	/** After the last piece that is on its way; there is none after it. */
	const forget = (): void => {
		over = true;
		sending
			.catch(() => {})
			.then(() => ctx.call(drop, { staged }))
			.catch(() => {});
	};
	if (req.headers.expect !== undefined) res.writeContinue();

	const hash = createHash("sha256");
	let parts = 0;
	const send = async (bytes: Buffer): Promise<void> => {
		hash.update(bytes);
		if (over) throw early();
		sending = ctx.call(piece, { staged, no: parts++, bytes: bytes.toString("base64") });
		await sending;
	};
	const keep = async (file: BusboyFileStream): Promise<void> => {
		let waiting: Buffer[] = [];
		let length = 0;
		for await (const chunk of file as AsyncIterable<Buffer>) {
			waiting.push(chunk);
			length += chunk.length;
			if (length < PIECE_BYTES) continue;
			const all = Buffer.concat(waiting, length);
			for (let at = 0; at + PIECE_BYTES <= all.length; at += PIECE_BYTES) await send(all.subarray(at, at + PIECE_BYTES));
			waiting = [all.subarray(all.length - (all.length % PIECE_BYTES))];
			length = all.length % PIECE_BYTES;
		}
		if (file.truncated) throw tooLarge();
		// An empty file is one, too: what it is, is for the node to say.
		if (length > 0 || parts === 0) await send(Buffer.concat(waiting, length));
	};

	try {
		await new Promise<void>((resolve, reject) => {
			let kept: Promise<void> | undefined;
			let open: BusboyFileStream | undefined;
			const fail = (error: unknown): void => {
				req.off("close", onClose).off("error", onClose);
				// Taken off the pipe it stands still: what still comes is read and thrown away, so that the client gets to read the answer.
				req.unpipe(form);
				req.resume();
				open?.destroy();
				form.destroy();
				reject(error);
			};
			const onClose = (): void => {
				if (!req.complete) fail(early());
			};
			form.on("file", (name: string | undefined, file) => {
				open = file;
				// The parser says it, too.
				file.on("error", () => {});
				if (name !== field) return fail(wrong(name ?? "", "unknown", "is not a known field"));
				file.on("limit", () => fail(tooLarge()));
				kept = keep(file);
				kept.catch(fail);
			});
			// Whatever its types say, the parser knows parts without a name.
			form.on("field", (name: string | undefined) =>
				fail(name === field ? wrong(field, "type", "must be a file") : wrong(name ?? "", "unknown", "is not a known field")),
			);
			form.on("filesLimit", () => fail(wrong(field, "unknown", "is there more than once")));
			for (const event of ["fieldsLimit", "partsLimit"])
				form.on(event, () => fail(problem("malformed", { detail: "The form has too many parts." })));
			form.on("error", () => fail(problem("malformed", { detail: "The body is no whole multipart/form-data." })));
			form.on("finish", () => {
				req.off("close", onClose).off("error", onClose);
				if (kept) kept.then(resolve, reject);
				else reject(wrong(field, "required", "is missing"));
			});
			req.on("close", onClose).on("error", onClose);
			if (req.destroyed) fail(early());
			else req.pipe(form);
		});
	} catch (error) {
		forget();
		throw error;
	}
	return {
		digest: hash.digest("hex"),
		params: { staged, parts },
		async untilAnswered(answer, meta) {
			let taken = false;
			try {
				const given = await answer;
				taken = meta.$replyReplayed === undefined;
				return given;
			} finally {
				if (!taken) forget();
			}
		},
	};
}

function parserOf(contentType: string, fileSize: number): BusboyInstance {
	try {
		return new Busboy({ headers: { "content-type": contentType }, limits: { ...LIMITS, fileSize } });
	} catch {
		throw problem("malformed", { detail: "The Content-Type names no boundary." });
	}
}
