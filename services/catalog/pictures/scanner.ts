// The virus scanner, where there is one: clamd, asked by its INSTREAM command before a file is decoded.
import { connect } from "node:net";
import type { ServiceBroker } from "moleculer";
import { settings } from "../../../mixins/node.ts";
import { problem } from "../../contracts/errors.ts";
import { unavailable } from "./unavailable.ts";

/** For all of it, ms. */
const PATIENCE_MS = 10_000;
const CHUNK_BYTES = 64 * 1024;
/** What it says is a line; nothing it says is longer. */
const MOST_SAID = 4_096;

/** What clamd answers, without its end: `stream: OK`, `stream: Eicar-Test-Signature FOUND`, `… ERROR`. */
function ask(host: string, port: number, bytes: Buffer): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host, port });
		let said = "";
		socket.setEncoding("utf8");
		const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), PATIENCE_MS);
		const done = () => said.split("\0")[0]?.trim() ?? "";
		socket.on("data", (text: string) => {
			said += text;
			if (said.includes("\0") || said.length > MOST_SAID) socket.end();
		});
		socket.on("error", reject);
		socket.on("close", () => {
			clearTimeout(timer);
			if (said.includes("\0")) resolve(done());
			else reject(new Error("it hung up without an answer"));
		});
		socket.on("connect", () => {
			socket.write("zINSTREAM\0");
			for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
				const chunk = bytes.subarray(from, from + CHUNK_BYTES);
				const length = Buffer.alloc(4);
				length.writeUInt32BE(chunk.length);
				socket.write(length);
				socket.write(chunk);
			}
			socket.write(Buffer.alloc(4));
		});
	});
}

/** Throws 422 `infected`; 503 where the scanner does not say that it is clean: nothing unscanned gets in. */
export function scannerOf(broker: ServiceBroker): (bytes: Buffer) => Promise<void> {
	const { CLAMD_URL } = settings(broker);
	if (!CLAMD_URL) return async () => {};
	const { hostname, port } = new URL(CLAMD_URL);
	return async (bytes) => {
		const said = await ask(hostname.replace(/^\[|\]$/g, ""), Number(port), bytes).catch((error) => unavailable(broker, "scanned", error));
		if (/ FOUND$/.test(said)) throw problem("infected");
		if (!/: OK$/.test(said)) unavailable(broker, "scanned", said.slice(0, 200));
	};
}
