// One process's connection to Redis. Nothing waits for it: a question is answered in time or refused, and while Redis is away or
// stalls it is asked nothing but whether it is back. Nothing is ever sent twice: what was under way when a connection broke has
// failed.
import { Redis } from "ioredis";
import type { ServiceBroker } from "moleculer";
import { COMMAND_MS, LONGEST_PAUSE, options } from "./options.ts";

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

/** While it is away it is asked so often (ms) whether it is back; while nobody asks it anything, whether it is there. */
const PROBE_MS = 250;
const IDLE_MS = 1_000;
/** What it refused (no memory left, a replica that may not be written) counts as trouble for so long (ms). */
const REFUSED_MS = 5_000;

type Script = (...args: unknown[]) => Promise<unknown>;

/** Of an error only its kind: a message may hold what was asked. */
const kindOf = (error: unknown): string =>
	(error as { code?: string }).code ?? /^[A-Z]{2,}/.exec((error as Error).message ?? "")?.[0] ?? "no answer";

/** `trouble`: it does not answer, or refused a command a moment ago. */
export function connect(broker: ServiceBroker, url: string): RedisLink & { readonly trouble: boolean } {
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
			// A command that is defined is a method of the client.
			const run: Script = Reflect.get(client, command);
			return (keys, args, withinMs) => ask(() => run.call(client, keys.length, ...keys, ...args), withinMs);
		},
		onReturn(listener) {
			listeners.push(listener);
		},
	};
}
