// REDIS_URL, looked at before anything is started.
import { Redis } from "ioredis";
import { refusal } from "../../config/refusal.ts";
import { options } from "./options.ts";

/** Answers of a server, or of TLS, that no waiting will change. */
const WRONG: readonly { says: RegExp; sentence: string }[] = [
	{ says: /NOAUTH/, sentence: "REDIS_URL names no password, but Redis wants one." },
	{ says: /WRONGPASS|invalid password|NOPERM/, sentence: "Redis refuses the user or password that REDIS_URL names." },
	{ says: /DB index/, sentence: "REDIS_URL names a database that this Redis does not have." },
	{
		says: /Protocol error|ERR_SSL|wrong version number|packet length too long/,
		sentence: "What listens where REDIS_URL leads does not speak Redis as the URL says (redis://, or rediss:// for TLS).",
	},
	{ says: /certificate|CERT_|ERR_TLS/, sentence: "The certificate of the server that REDIS_URL names is not trusted." },
];
/** The longest a start waits for Redis (ms). */
const CHECK_MS = 2_000;

/**
 * For the start: throws a sentence where REDIS_URL is wrong. A Redis that is away is no reason not to start: answers false then,
 * true where it answered, or where there is no REDIS_URL.
 */
export async function checkRedis({ REDIS_URL }: { REDIS_URL?: string | undefined }): Promise<boolean> {
	if (REDIS_URL === undefined) return true;
	const client = new Redis(REDIS_URL, {
		...options,
		reconnectOnError: null,
		retryStrategy: null,
		lazyConnect: true,
		connectTimeout: CHECK_MS,
	});
	const said: string[] = [];
	client.on("error", (error: NodeJS.ErrnoException) => said.push(`${error.code ?? ""} ${error.message}`));
	try {
		await client.connect();
		await client.ping();
	} catch (error) {
		said.push((error as Error).message);
	} finally {
		client.disconnect();
	}
	const wrong = WRONG.find(({ says }) => says.test(said.join("\n")));
	if (wrong) throw refusal(wrong.sentence);
	return said.length === 0;
}
