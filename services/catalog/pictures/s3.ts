// Pictures in an S3-compatible store, by path-style addresses: <endpoint>/<bucket>/pictures/<digest>/<size>.
import { AwsClient } from "aws4fetch";
import type { ServiceBroker } from "moleculer";
import { settings } from "../../../mixins/node.ts";
import { refusal } from "../../../mixins/refusal.ts";
import { pictureSize } from "../../contracts/uploads.ts";
import type { Shelf } from "./shelf.ts";
import { unavailable } from "./unavailable.ts";

/** From the question to the last byte, ms. */
const PATIENCE_MS = 8_000;
/** Answers of S3 that say "wrong": with the next try they say the same. */
const WRONG = new Set([301, 400, 401, 403, 404]);

class Refused extends Error {
	readonly status: number;
	constructor(method: string, status: number) {
		super(`${method} was answered ${status}`);
		this.status = status;
	}
}

export function s3Shelf(broker: ServiceBroker): Shelf {
	const { S3_ENDPOINT, S3_BUCKET, S3_REGION, S3_ACCESS_KEY = "", S3_SECRET_KEY = "" } = settings(broker);
	const client = new AwsClient({
		accessKeyId: S3_ACCESS_KEY,
		secretAccessKey: S3_SECRET_KEY,
		service: "s3",
		region: S3_REGION,
		retries: 2,
		initRetryMs: 100,
	});
	const at = (key: string) => `${S3_ENDPOINT}/${S3_BUCKET}${key === "" ? "" : `/${key}`}`;

	const ask = async (method: string, key: string, more: { headers?: Record<string, string>; body?: Buffer } = {}): Promise<Buffer> => {
		const body = more.body && new Uint8Array(more.body);
		const answer = await client.fetch(at(key), {
			method,
			...(more.headers && { headers: more.headers }),
			...(body && { body }),
			redirect: "manual",
			signal: AbortSignal.timeout(PATIENCE_MS),
		});
		const bytes = Buffer.from(await answer.arrayBuffer());
		if (!answer.ok && !(method === "DELETE" && answer.status === 404)) throw new Refused(method, answer.status);
		return bytes;
	};
	const guarded = <T>(what: string, work: Promise<T>): Promise<T> => work.catch((error) => unavailable(broker, what, error));
	const keyOf = (digest: string, size: string) => `pictures/${digest}/${size}`;

	return {
		put: async (digest, size, type, bytes) =>
			void (await guarded("kept", ask("PUT", keyOf(digest, size), { headers: { "content-type": type }, body: bytes }))),

		read: (digest, size, from, length) =>
			guarded("read", ask("GET", keyOf(digest, size), { headers: { range: `bytes=${from}-${from + length - 1}` } })),

		drop: async (digest) =>
			void (await guarded("deleted", Promise.all(pictureSize.values.map((size) => ask("DELETE", keyOf(digest, size)))))),

		/** A store that is away may come; one that does not let us in will not. A bucket that is not there is made. */
		async start() {
			const write = () =>
				ask("PUT", "pictures/.name", { headers: { "content-type": "text/plain" }, body: Buffer.from("The pictures of Reloop.\n") });
			try {
				await write().catch(async (error) => {
					if (!(error instanceof Refused) || error.status !== 404) throw error;
					// 409: another process of ours was faster.
					await ask("PUT", "").catch((made) => {
						if (!(made instanceof Refused) || made.status !== 409) throw made;
					});
					await write();
				});
			} catch (error) {
				if (error instanceof Refused && WRONG.has(error.status))
					throw refusal(
						`The store of S3_ENDPOINT does not let us write into the bucket "${S3_BUCKET}" (it answers ${error.status}): look at S3_BUCKET, S3_REGION, S3_ACCESS_KEY and S3_SECRET_KEY.`,
					);
				broker.logger.warn("S3_ENDPOINT: no server answers; pictures can neither be sent nor seen until it does.", {
					error: String(error),
				});
			}
		},
	};
}
