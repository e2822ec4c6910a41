// Redis, where REDIS_URL names one: what all processes must know alike and may forget (limits, presence, who was signed out,
// caches). Nothing waits for it: a question is answered in time or refused, and while it is away or stalls it is asked nothing
// but whether it is back. Nothing is ever sent twice: what was under way when a connection broke has failed.
import { Redis } from "ioredis";
import type { RedisOptions } from "ioredis";
import type { ServiceBroker } from "moleculer";
import { refusal } from "../config/refusal.ts";
import { perBroker } from "./per-broker.ts";
import { settings } from "./settings.ts";

export interface RedisLink {
	readonly client: Redis;
	/** False from the moment it owed an answer until it has given one. */
	readonly usable: boolean;
	/** Asks. Rejects at once while Redis is away, and after `withinMs` (at most a second) without an answer. */
	ask<T>(question: (client: Redis) => Promise<T>, withinMs?: number): Promise<T>;
	/** A script that runs as a whole or not at all; it is called as `ask` asks. `name` is for logs. */
	script(name: string, lua: string): (keys: readonly string[], args: readonly (string | number)[], withinMs?: number) => Promise<unknown>;
	/** Called each time it answers again. */
	onReturn(listener: () => void): void;
}

/** First in the name of every key; several deployments on one server take databases of their own (redis://host/1). */
const PREFIX = "reloop:";
/** A command that was not answered in this time (ms) has failed. */
const COMMAND_MS = 1_000;
/** Without a word for so long (ms) the connection is given up and made anew: the other end may be gone without saying so. */
const SILENT_MS = 5_000;
const LONGEST_PAUSE = 500;
/** While it is away it is asked so often (ms) whether it is back; while nobody asks it anything, whether it is there. */
const PROBE_MS = 250;
const IDLE_MS = 1_000;
/** What it refused (no memory left, a replica that may not be written) counts as trouble for so long (ms). */
const REFUSED_MS = 5_000;

const options = {
	keyPrefix: PREFIX,
	enableOfflineQueue: false,
	commandTimeout: COMMAND_MS,
	maxRetriesPerRequest: 0,
	autoResendUnfulfilledCommands: false,
	connectTimeout: 2_000,
	socketTimeout: SILENT_MS,
	disableClientInfo: true,
	// After a failover the old address leads to a replica.
	reconnectOnError: (error) => error.message.includes("READONLY"),
} as const satisfies RedisOptions;

type Script = (...args: unknown[]) => Promise<unknown>;

/** Of an error only its kind: a message may hold what was asked. */
const kindOf = (error: unknown): string =>
	(error as { code?: string }).code ?? /^[A-Z]{2,}/.exec((error as Error).message ?? "")?.[0] ?? "no answer";

function connect(broker: ServiceBroker, url: string): RedisLink & { readonly trouble: boolean } {
	const logger = broker.getLogger("redis");
	const client = new Redis(url, {
		...options,
		connectionName: broker.nodeID,
		retryStrategy: (times) => Math.min(times * 100, LONGEST_PAUSE),
	});
	const listeners: (() => void)[] = [];
	let usable = false;
	let complained = false;
	let answeredAt = performance.now();
	let refusedAt = Number.NEGATIVE_INFINITY;
	let probing = false;
	let closed = false;

	const complain = (why: unknown): void => {
		if (complained || closed) return;
		complained = true;
		logger.warn("Redis does not answer. Until it does each process counts limits by itself, and nobody knows who is here.", {
			cause: kindOf(why),
		});
	};
	const back = (): void => {
		answeredAt = performance.now();
		if (usable || closed) return;
		usable = true;
		if (complained) logger.info("Redis answers again.");
		complained = false;
		for (const listener of listeners) listener();
	};
	/** It owes an answer. That may be our own fault, for not listening in time: a ping tells. */
	const probe = async (): Promise<void> => {
		if (probing || closed) return;
		probing = true;
		while (!usable && !closed && client.status === "ready") {
			try {
				await client.ping();
				back();
			} catch (error) {
				complain(error);
				await new Promise<void>((resolve) => void setTimeout(resolve, PROBE_MS).unref());
			}
		}
		probing = false;
	};
	const doubt = (error: unknown): void => {
		if ((error as Error).name === "ReplyError") {
			if (performance.now() - refusedAt > REFUSED_MS) logger.warn("Redis refused a command.", { cause: kindOf(error) });
			refusedAt = performance.now();
			return;
		}
		usable = false;
		void probe();
	};

	client.on("ready", () => void probe());
	client.on("close", () => {
		usable = false;
	});
	client.on("error", complain);
	const idle = setInterval(() => {
		if (usable && performance.now() - answeredAt >= IDLE_MS) client.ping().then(back, doubt);
	}, IDLE_MS);
	idle.unref();
	// After the services: they may have last words.
	broker.localBus.once("$broker.stopped", () => {
		closed = true;
		usable = false;
		clearInterval(idle);
		client.disconnect();
	});

	const ask: RedisLink["ask"] = async (question, withinMs = COMMAND_MS) => {
		if (!usable) throw new Error("Redis does not answer.");
		let timer: NodeJS.Timeout | undefined;
		try {
			const asked = question(client);
			const answer = await (withinMs >= COMMAND_MS
				? asked
				: Promise.race([
						asked,
						new Promise<never>((_, reject) => {
							timer = setTimeout(() => reject(new Error("Redis did not answer in time.")), withinMs);
						}),
					]));
			answeredAt = performance.now();
			return answer;
		} catch (error) {
			doubt(error);
			throw error;
		} finally {
			clearTimeout(timer);
		}
	};

	return {
		client,
		get usable() {
			return usable;
		},
		get trouble() {
			return !usable || performance.now() - refusedAt < REFUSED_MS;
		},
		ask,
		script(name, lua) {
			const command = `script:${name}`;
			client.defineCommand(command, { lua });
			const run = (client as unknown as Record<string, Script>)[command] as Script;
			return (keys, args, withinMs) => ask(() => run.call(client, keys.length, ...keys, ...args), withinMs);
		},
		onReturn(listener) {
			listeners.push(listener);
		},
	};
}

const links = perBroker((broker) => {
	const { REDIS_URL } = settings(broker);
	return { link: REDIS_URL ? connect(broker, REDIS_URL) : undefined };
});

/** This process's way to Redis; undefined without REDIS_URL. */
export const redisOf = (broker: ServiceBroker): RedisLink | undefined => links(broker).link;

/** How Redis is, seen from this process; undefined without REDIS_URL. */
export function redisStatus(broker: ServiceBroker): "ok" | "degraded" | undefined {
	const { link } = links(broker);
	return link && (link.trouble ? "degraded" : "ok");
}

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
